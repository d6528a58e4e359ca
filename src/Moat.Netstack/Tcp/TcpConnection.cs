using System.Buffers.Binary;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>A TCP connection (RFC 9293): its state, and what segments do to it. <see cref="TcpSender"/> and <see cref="TcpReceiver"/> are its halves.</summary>
/// <remarks>Everything is guarded by <see cref="Lock"/>. Packets leave under it; nothing comes back in under it (see <see cref="NetworkStack.Flush"/>).</remarks>
internal sealed class TcpConnection : TcpFlow
{
    private readonly TcpLayer _layer;
    private readonly TcpTimer _lifeTimer; // keep-alive, FIN_WAIT2
    private RouteDecision _route;
    private uint _recentTimestamp; // TS.Recent
    private long _recentTimestampNs;
    private long _challengeNs;
    private int _keepAliveProbes;
    private long _lastReceivedNs;
    private int _pathMtu;
    private int _peerMss = TcpLimits.DefaultMss;
    private bool _corkExpired;

    public TcpConnection(TcpLayer layer, FlowKey key, TcpOptionSet options, in RouteDecision route)
        : base(key)
    {
        _layer = layer;
        Options = options;
        _route = route;
        _pathMtu = route.Mtu;
        Sender = new TcpSender(this, options.CreateCongestionControl());
        Receiver = new TcpReceiver(this);
        _lifeTimer = new TcpTimer(this, static (owner, now) => owner.OnLifeTimer(now));
        CorkTimer = new TcpTimer(this, static (owner, now) => owner.OnCorkExpired(now));
    }

    /// <summary>Guards everything.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The stack it is in.</summary>
    public NetworkStack Stack => _layer.Stack;

    /// <summary>The sending half.</summary>
    public TcpSender Sender { get; }

    /// <summary>The receiving half.</summary>
    public TcpReceiver Receiver { get; }

    /// <summary>Socket options that matter here.</summary>
    public TcpOptionSet Options { get; }

    /// <summary>Who is told of events; null once no socket is left.</summary>
    public ISocketObserver? Observer { get; set; }

    /// <summary>Where it stands.</summary>
    public TcpState State { get; private set; } = TcpState.Closed;

    /// <summary>What went wrong; fetched once (SO_ERROR).</summary>
    public NetError Error { get; set; }

    /// <summary>A transient error, reported if the connection times out (RFC 1122 section 4.2.3.9).</summary>
    public NetError SoftError { get; private set; }

    /// <summary>Whether both sides use selective acknowledgments.</summary>
    public bool UsesSack { get; private set; }

    /// <summary>Whether both sides use timestamps.</summary>
    public bool UsesTimestamps { get; private set; }

    /// <summary>Whether the handshake is done.</summary>
    public bool IsSynchronized => State is not (TcpState.Closed or TcpState.SynSent or TcpState.SynReceived);

    /// <summary>Whether data and FIN may leave in this state.</summary>
    public bool MaySend => State is TcpState.Established or TcpState.CloseWait or TcpState.FinWait1 or TcpState.LastAck or TcpState.Closing;

    /// <summary>Whether the socket has said that no more data comes and FIN has not been sent.</summary>
    public bool WantsFin { get; private set; }

    /// <summary>Whether the peer has said that it sends no more.</summary>
    public bool HasReceivedFin { get; private set; }

    /// <summary>An acknowledgment is to go out, alone if nothing else does.</summary>
    public bool AckIsDue { get; set; }

    /// <summary>Whether no socket is left and the layer counts it.</summary>
    public bool IsOrphan { get; set; }

    /// <summary>The port that goes when the connection does, once its socket is gone.</summary>
    public PortBinding? Binding { get; set; }

    /// <summary>MSG_MORE: the last write said that more follows.</summary>
    public bool HoldsPartial { get; set; }

    /// <summary>The timer that ends a cork.</summary>
    public TcpTimer CorkTimer { get; }

    /// <summary>The smoothed round trip.</summary>
    public long SmoothedRttNs => Sender.Rtt.SmoothedNs;

    /// <summary>The size of the peer's full segments, as far as it has been seen.</summary>
    public int ReceiveMss { get; private set; } = TcpLimits.DefaultMss;

    /// <summary>Payload bytes that one packet may carry: several segments where the link cuts them.</summary>
    public int MaxSendSize
    {
        get
        {
            const int MaxGso = 65535 - Packet.HeaderRoom;
            return (_route.Interface.Link.Features & Link.LinkFeatures.TcpSegmentation) != 0 ? Math.Max(MaxGso - (MaxGso % Sender.Mss), Sender.Mss) : Sender.Mss;
        }
    }

    /// <summary>The segment size to announce: what the route carries.</summary>
    private int LocalMss
    {
        get
        {
            int mss = TcpOutput.MssOf(_pathMtu, Key.Remote.Address);
            return Options.MaxSegment > 0 ? Math.Min(mss, Options.MaxSegment) : mss;
        }
    }

    /// <summary>Begins a connection: sends SYN. Under the lock.</summary>
    public void Connect(long nowNs)
    {
        State = TcpState.SynSent;
        SequenceNumber initial = _layer.InitialSequence(Key, nowNs);
        Sender.Start(initial);
        Receiver.WindowScale = Options.WindowScaleFor(Receiver.Buffer);
        SendSyn(initial);
        Sender.OnSent(initial + 1, nowNs);
    }

    /// <summary>Takes over from a request whose handshake is done. Under the lock.</summary>
    public void Accept(in TcpHandshake handshake, in TcpSegment segment, long nowNs)
    {
        State = TcpState.SynReceived;
        Receiver.Start(handshake.RemoteInitial);
        Receiver.WindowScale = handshake.LocalWindowScale;
        Sender.Start(handshake.LocalInitial);
        Sender.OnSent(handshake.LocalInitial + 1, handshake.SentNs);
        TakeHandshake(handshake.Options, handshake.PeerMss);
        if (UsesTimestamps)
        {
            _recentTimestamp = segment.Options.TimestampValue;
            _recentTimestampNs = nowNs;
        }

        Receiver.OnAckSent(Receiver.Window);
    }

    /// <inheritdoc/>
    public override void Receive(Packet packet, in TcpSegment segment, in IpInfo info)
    {
        long now = Stack.Host.NowNs;
        lock (Lock)
        {
            _lastReceivedNs = now;
            if (State == TcpState.SynSent)
            {
                ReceiveInSynSent(packet, segment, now);
            }
            else if (State == TcpState.Closed)
            {
                packet.Release();
                return;
            }
            else
            {
                ReceiveSynchronized(packet, segment, now);
            }

            Flush(now);
        }
    }

    /// <inheritdoc/>
    public override void ReceiveError(in IpError error, SequenceNumber sequence)
    {
        long now = Stack.Host.NowNs;
        lock (Lock)
        {
            if (State == TcpState.Closed || sequence < Sender.Unacknowledged || sequence >= Sender.Next + 1)
            {
                return; // not about anything in flight: forged, or old (RFC 5927)
            }

            if (error.Mtu > 0)
            {
                const int MinMtu = 552;
                if (error.Mtu < _pathMtu)
                {
                    _pathMtu = Math.Max(error.Mtu, Key.Remote.Address.IsV4 ? MinMtu : 1280);
                    Sender.OnPathMtu(EffectiveMss(LocalMss), now);
                }
            }
            else if (State is TcpState.SynSent or TcpState.SynReceived && error.IsHard)
            {
                Fail(error.Error);
            }
            else
            {
                SoftError = error.Error;
            }
        }
    }

    /// <summary>The socket has queued data, or options changed: sends what may be sent. Under the lock.</summary>
    public void Output(long nowNs)
    {
        if (IsSynchronized)
        {
            Flush(nowNs);
        }
    }

    /// <summary>The socket sends no more (shutdown(2) with SHUT_WR, close(2)). Under the lock.</summary>
    public void ShutdownSend(long nowNs)
    {
        if (State is not (TcpState.Established or TcpState.CloseWait or TcpState.SynReceived) || WantsFin)
        {
            return;
        }

        WantsFin = true;
        if (State is not TcpState.SynReceived)
        {
            EnterFinState();
        }

        Flush(nowNs);
    }

    /// <summary>The socket is gone. Under the lock, with nobody reading.</summary>
    /// <param name="abort">SO_LINGER with a time of zero.</param>
    /// <param name="nowNs">The time.</param>
    public void Close(bool abort, long nowNs)
    {
        Observer = null;
        if (State == TcpState.Closed)
        {
            return;
        }

        if (State == TcpState.SynSent)
        {
            Finish();
            return;
        }

        // Unread data would be lost without a word: say so (RFC 2525 section 2.17).
        if (abort || Receiver.AvailableBytes > 0 || !_layer.TakeOrphan(this))
        {
            Abort();
            return;
        }

        ShutdownSend(nowNs);
        if (State == TcpState.FinWait2)
        {
            _lifeTimer.Set(nowNs + TcpLimits.TimeWaitNs);
        }
    }

    /// <summary>Sends RST and ends. Under the lock.</summary>
    public void Abort()
    {
        if (IsSynchronized || State == TcpState.SynReceived)
        {
            SendControl(Sender.Next, TcpFlags.RST | TcpFlags.ACK);
        }

        Finish();
    }

    /// <summary>Keep-alive options changed. Under the lock.</summary>
    public void RestartKeepAlive(long nowNs)
    {
        if (Options.KeepAlive && State is TcpState.Established or TcpState.CloseWait)
        {
            _keepAliveProbes = 0;
            _lifeTimer.Set(nowNs + Options.KeepAliveIdleNs);
        }
    }

    /// <summary>Data has been read: the window may have to be told. Under the lock.</summary>
    public void OnConsumed(int bytes)
    {
        if (Receiver.Consume(bytes) && State is TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2)
        {
            SendAck();
        }
    }

    /// <summary>What the socket is ready for. Under the lock.</summary>
    public NetEvents Readiness(long sendBuffer)
    {
        if (State is TcpState.Closed)
        {
            return NetEvents.Readable | NetEvents.Writable | NetEvents.HangUp | NetEvents.ReadHangUp | (Error != NetError.None ? NetEvents.Error : 0);
        }

        if (State is TcpState.SynSent)
        {
            return Error != NetError.None ? NetEvents.Error : 0;
        }

        NetEvents events = Receiver.AvailableBytes > 0 || HasReceivedFin ? NetEvents.Readable : 0;
        events |= HasReceivedFin ? NetEvents.ReadHangUp : 0;
        events |= HasReceivedFin && HasShutDownSend ? NetEvents.HangUp : 0;
        events |= HasShutDownSend || IsWritable(sendBuffer) ? NetEvents.Writable : 0;
        return events | (Error != NetError.None ? NetEvents.Error : 0);
    }

    /// <summary>Whether the socket has said that it sends no more.</summary>
    public bool HasShutDownSend => WantsFin || State is TcpState.FinWait1 or TcpState.FinWait2 or TcpState.Closing or TcpState.LastAck or TcpState.TimeWait;

    /// <summary>Whether a third of the send buffer is free (what makes Linux say POLLOUT).</summary>
    public bool IsWritable(long sendBuffer) => Sender.Queue.Length < sendBuffer - (sendBuffer / 3);

    /// <summary>Whether <paramref name="bytes"/>, less than a full segment, may go out now (Nagle's algorithm, TCP_CORK).</summary>
    public bool MaySendPartial(int bytes, bool nothingInFlight)
    {
        if ((Options.Cork || HoldsPartial) && !_corkExpired)
        {
            if (!CorkTimer.IsSet)
            {
                CorkTimer.Set(Stack.Host.NowNs + TcpLimits.CorkNs);
            }

            return WantsFin;
        }

        return Options.NoDelay || nothingInFlight || WantsFin || bytes >= Sender.Mss;
    }

    /// <summary>Whether to stop trying after so many timeouts in a row; if so, the connection has ended.</summary>
    public bool GivesUp(int timeouts, long stalledNs)
    {
        int limit = State switch
        {
            TcpState.SynSent => Options.SynRetries,
            TcpState.SynReceived => TcpLimits.SynAckRetries,
            _ => Observer is null ? TcpLimits.OrphanRetries : TcpLimits.Retries,
        };
        if (timeouts <= limit && (Options.UserTimeoutNs == 0 || stalledNs < Options.UserTimeoutNs))
        {
            return false;
        }

        Fail(SoftError != NetError.None ? SoftError : NetError.TimedOut);
        return true;
    }

    /// <summary>What TCP_INFO shows. Under the lock.</summary>
    public TcpStatus Status => new()
    {
        State = State,
        Recovery = (byte)Sender.Recovery,
        Timeouts = Sender.Timeouts,
        UsesTimestamps = UsesTimestamps,
        UsesSack = UsesSack,
        UsesWindowScale = Sender.WindowScale > 0 || Receiver.WindowScale > 0,
        SendWindowScale = Sender.WindowScale,
        ReceiveWindowScale = Receiver.WindowScale,
        RetransmissionTimeNs = Sender.RtoNs,
        SendMss = Sender.Mss,
        ReceiveMss = ReceiveMss,
        UnacknowledgedBytes = Sender.Next - Sender.Unacknowledged,
        SackedBytes = Sender.SackedBytes,
        LostBytes = Sender.LostBytes,
        PathMtu = _pathMtu,
        RoundTripNs = Sender.Rtt.SmoothedNs,
        RoundTripVariationNs = Sender.Rtt.VariationNs,
        SlowStartThreshold = Sender.Congestion.SlowStartThreshold,
        CongestionWindow = Sender.Congestion.Window,
        Retransmissions = Sender.Retransmissions,
    };

    /// <summary>Another way to control congestion goes on with the window of the one before. Under the lock.</summary>
    public void ChangeCongestionControl()
    {
        CongestionControl before = Sender.Congestion;
        CongestionControl after = Options.CreateCongestionControl();
        (after.Mss, after.Window, after.SlowStartThreshold) = (before.Mss, before.Window, before.SlowStartThreshold);
        Sender.Congestion = after;
    }

    /// <summary>The peer answers: its neighbour entry need not be checked.</summary>
    public void RouteConfirmed() => _route.Interface.Neighbors?.Confirm(_route.NextHop);

    /// <summary>Sends data of the queue for the first time.</summary>
    public bool SendData(SequenceNumber start, int length, bool isLast)
    {
        TcpFlags flags = TcpFlags.ACK | (isLast ? TcpFlags.PSH : 0);
        return SendQueued(start, length, flags);
    }

    /// <summary>Sends what lies between two sequence numbers again: SYN, data or FIN.</summary>
    public bool Retransmit(SequenceNumber start, SequenceNumber end)
    {
        if (State is TcpState.SynSent or TcpState.SynReceived)
        {
            SendSyn(start);
            return true;
        }

        int length = SequenceNumber.Min(end, Sender.Queue.End) - start;
        if (length > 0)
        {
            return SendQueued(start, length, TcpFlags.ACK | (start + length == Sender.Queue.End ? TcpFlags.PSH : 0));
        }

        SendFin(start);
        return true;
    }

    /// <summary>Sends FIN.</summary>
    public void SendFin(SequenceNumber sequence) => SendControl(sequence, TcpFlags.FIN | TcpFlags.ACK);

    /// <summary>FIN is out.</summary>
    public void OnFinSent() => WantsFin = false;

    /// <summary>Asks the peer what its window is.</summary>
    public void SendWindowProbe(SequenceNumber sequence) => SendControl(sequence, TcpFlags.ACK);

    /// <summary>Acknowledges now.</summary>
    public void SendAck()
    {
        if (State is not (TcpState.Closed or TcpState.SynSent))
        {
            SendControl(Sender.Next, TcpFlags.ACK);
        }
    }

    private void ReceiveInSynSent(Packet packet, in TcpSegment segment, long now)
    {
        packet.Release(); // data with a SYN is sent again by whoever did not use fast open
        bool acknowledges = segment.Has(TcpFlags.ACK);
        if (acknowledges && (segment.Header.Acknowledgment <= Sender.Unacknowledged || segment.Header.Acknowledgment > Sender.Next))
        {
            if (!segment.Has(TcpFlags.RST))
            {
                _layer.SendReset(Key, segment);
            }

            return;
        }

        if (segment.Has(TcpFlags.RST))
        {
            if (acknowledges)
            {
                Fail(NetError.ConnectionRefused);
            }

            return;
        }

        if (!segment.Has(TcpFlags.SYN))
        {
            return;
        }

        Receiver.Start(segment.Start);
        TakeHandshake(segment.Options, segment.Options.MaxSegmentSize);
        if (UsesTimestamps)
        {
            _recentTimestamp = segment.Options.TimestampValue;
            _recentTimestampNs = now;
        }

        if (!acknowledges)
        {
            State = TcpState.SynReceived; // both sides connect at once
            SendSyn(Sender.Unacknowledged);
            return;
        }

        Sender.Acknowledge(segment.Header.Acknowledgment, segment.Options, segment.Header.Window, mayUpdateWindow: true, isDuplicate: false, now);
        Establish(segment.Header.Window, now);
        SendAck();
    }

    private void ReceiveSynchronized(Packet packet, in TcpSegment segment, long now)
    {
        if (!IsAcceptable(segment, now))
        {
            packet.Release();
            return;
        }

        if (segment.Has(TcpFlags.RST))
        {
            packet.Release();
            if (segment.Start == Receiver.Next)
            {
                OnReset();
            }
            else
            {
                Challenge(now); // RFC 5961 section 3.2
            }

            return;
        }

        if (segment.Has(TcpFlags.SYN))
        {
            packet.Release();
            if (State == TcpState.SynReceived && segment.Start == Receiver.Initial)
            {
                SendSyn(Sender.Unacknowledged);
            }
            else
            {
                Challenge(now); // RFC 5961 section 4.2
            }

            return;
        }

        if (!segment.Has(TcpFlags.ACK) || !TakeAcknowledgment(segment, now))
        {
            packet.Release();
            return;
        }

        TakePayload(packet, segment, now);
    }

    // RFC 9293 section 3.10.7.4, first: the sequence number; RFC 7323 section 5: timestamps.
    private bool IsAcceptable(in TcpSegment segment, long now)
    {
        if (UsesTimestamps && segment.Options.HasTimestamps)
        {
            const long MaxAgeNs = 24L * 86_400 * 1_000_000_000;
            bool isOld = unchecked((int)(segment.Options.TimestampValue - _recentTimestamp)) < 0 && now - _recentTimestampNs < MaxAgeNs;
            if (isOld && !segment.Has(TcpFlags.RST))
            {
                AckIsDue = true;
                return false;
            }
        }

        SequenceNumber windowEnd = Receiver.WindowEnd;
        bool inWindow = segment.End >= Receiver.Next && segment.Start <= windowEnd && (segment.PayloadLength == 0 || segment.Start < windowEnd || segment.Start == Receiver.Next);
        if (!inWindow)
        {
            if (!segment.Has(TcpFlags.RST))
            {
                Receiver.EnterQuickAck();
                AckIsDue = true;
            }

            return false;
        }

        if (UsesTimestamps && segment.Options.HasTimestamps && segment.Start <= Receiver.Next && unchecked((int)(segment.Options.TimestampValue - _recentTimestamp)) >= 0)
        {
            _recentTimestamp = segment.Options.TimestampValue;
            _recentTimestampNs = now;
        }

        return true;
    }

    private bool TakeAcknowledgment(in TcpSegment segment, long now)
    {
        SequenceNumber acknowledgment = segment.Header.Acknowledgment;
        if (acknowledgment > Sender.Next || acknowledgment < Sender.Unacknowledged - Math.Max(Sender.MaxWindow, 1))
        {
            if (State == TcpState.SynReceived)
            {
                _layer.SendReset(Key, segment);
            }
            else
            {
                Challenge(now); // RFC 5961 section 5.2
            }

            return false;
        }

        if (State == TcpState.SynReceived)
        {
            if (acknowledgment <= Sender.Unacknowledged)
            {
                return false;
            }

            Sender.Acknowledge(acknowledgment, segment.Options, segment.Header.Window << Sender.WindowScale, mayUpdateWindow: true, isDuplicate: false, now);
            Establish(segment.Header.Window << Sender.WindowScale, now);
            if (WantsFin)
            {
                EnterFinState();
            }

            return true;
        }

        int window = segment.Header.Window << Sender.WindowScale;
        bool isDuplicate = segment.PayloadLength == 0 && !segment.Has(TcpFlags.FIN) && acknowledgment == Sender.Unacknowledged && window == Sender.Window;
        bool wasFull = !IsWritable(Options.SendBuffer);
        Sender.Acknowledge(SequenceNumber.Max(acknowledgment, Sender.Unacknowledged), segment.Options, window, acknowledgment >= Sender.Unacknowledged, isDuplicate, now);
        if (wasFull && IsWritable(Options.SendBuffer))
        {
            Notify(NetEvents.Writable);
        }

        if (Sender.IsEmpty && !WantsFin)
        {
            OnAllAcknowledged(now);
        }

        return true;
    }

    // FIN, if it was sent, has been acknowledged.
    private void OnAllAcknowledged(long now)
    {
        switch (State)
        {
            case TcpState.FinWait1:
                State = TcpState.FinWait2;
                if (Observer is null)
                {
                    _lifeTimer.Set(now + TcpLimits.TimeWaitNs);
                }

                break;
            case TcpState.Closing:
                EnterTimeWait(now);
                break;
            case TcpState.LastAck:
                Finish();
                break;
        }
    }

    private void TakePayload(Packet packet, in TcpSegment segment, long now)
    {
        if (State is not (TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2) && segment.PayloadLength > 0 && !HasReceivedFin)
        {
            packet.Release();
            return;
        }

        SequenceNumber fin = segment.Start + segment.PayloadLength;
        if (segment.PayloadLength > 0 && Observer is null && State is TcpState.FinWait1 or TcpState.FinWait2 && fin > Receiver.Next)
        {
            packet.Release(); // nobody will read it: the peer must know (RFC 1122 section 4.2.2.13)
            Abort();
            return;
        }

        if (segment.PayloadLength > 0 && !HasReceivedFin)
        {
            packet.Pull(segment.Header.HeaderLength);
            ReceiveMss = Math.Max(ReceiveMss, Math.Min(segment.PayloadLength, packet.SegmentSize > 0 ? packet.SegmentSize : segment.PayloadLength));
            if (Receiver.Receive(packet, segment.Start, segment.Has(TcpFlags.PSH), now))
            {
                Notify(NetEvents.Readable);
            }
        }
        else
        {
            packet.Release();
        }

        if (segment.Has(TcpFlags.FIN) && !HasReceivedFin)
        {
            if (fin == Receiver.Next)
            {
                OnFin(now);
            }
            else
            {
                AckIsDue = true; // it comes again when what is missing has come
            }
        }
    }

    private void OnFin(long now)
    {
        HasReceivedFin = true;
        Receiver.Advance(1);
        AckIsDue = true;
        switch (State)
        {
            case TcpState.Established:
                State = TcpState.CloseWait;
                break;
            case TcpState.FinWait1:
                State = TcpState.Closing;
                break;
            case TcpState.FinWait2:
                EnterTimeWait(now);
                break;
        }

        Notify(NetEvents.Readable | NetEvents.ReadHangUp | (HasShutDownSend ? NetEvents.HangUp : 0));
    }

    private void OnReset()
    {
        NetError error = State switch
        {
            TcpState.SynReceived => NetError.ConnectionRefused,
            TcpState.CloseWait => NetError.BrokenPipe,
            _ => NetError.ConnectionReset,
        };
        Fail(error);
    }

    private void Establish(int window, long now)
    {
        State = TcpState.Established;
        Sender.Establish(window);
        Sender.SetMss(EffectiveMss(_peerMss));
        RestartKeepAlive(now);
        Notify(NetEvents.Writable);
        _layer.OnEstablished(this);
    }

    private void TakeHandshake(in TcpOptions options, int peerMss)
    {
        _peerMss = peerMss != 0 ? Math.Max(peerMss, TcpLimits.MinMss) : TcpLimits.DefaultMss;
        UsesTimestamps = options.HasTimestamps && Options.OffersTimestamps;
        UsesSack = options.SackPermitted && Options.OffersSack;
        if (options.WindowScale is { } scale && Options.OffersWindowScale)
        {
            Sender.WindowScale = scale;
        }
        else
        {
            Receiver.WindowScale = 0;
        }

        Sender.SetMss(EffectiveMss(_peerMss));
    }

    private int EffectiveMss(int peerMss)
    {
        const int TimestampBytes = 12;
        return Math.Max(Math.Min(Math.Min(peerMss, _peerMss), LocalMss) - (UsesTimestamps ? TimestampBytes : 0), TcpLimits.MinMss - TimestampBytes);
    }

    private void EnterFinState() => State = State == TcpState.CloseWait ? TcpState.LastAck : TcpState.FinWait1;

    private void EnterTimeWait(long now)
    {
        SendAck();
        AckIsDue = false;
        _layer.EnterTimeWait(this, Sender.Next, Receiver.Next, UsesTimestamps ? _recentTimestamp : null, now);
        State = TcpState.TimeWait;
        Finish();
    }

    private void Flush(long now)
    {
        if (State == TcpState.Closed)
        {
            return;
        }

        Sender.Output(now);
        if (AckIsDue)
        {
            SendAck();
        }
    }

    // At most one in half a second: an attacker must not make this side talk (RFC 5961 section 7).
    private void Challenge(long now)
    {
        const long IntervalNs = 500_000_000;
        if (now - _challengeNs >= IntervalNs || _challengeNs == 0)
        {
            _challengeNs = now;
            SendAck();
        }
    }

    private void OnLifeTimer(long now)
    {
        if (State == TcpState.FinWait2 && Observer is null)
        {
            _layer.EnterTimeWait(this, Sender.Next, Receiver.Next, UsesTimestamps ? _recentTimestamp : null, now);
            Finish();
            return;
        }

        if (!Options.KeepAlive || State is not (TcpState.Established or TcpState.CloseWait))
        {
            return;
        }

        long idle = now - _lastReceivedNs;
        if (idle < Options.KeepAliveIdleNs)
        {
            _keepAliveProbes = 0;
            _lifeTimer.Set(_lastReceivedNs + Options.KeepAliveIdleNs);
            return;
        }

        if (_keepAliveProbes >= Options.KeepAliveCount && (Options.UserTimeoutNs == 0 || idle >= Options.UserTimeoutNs))
        {
            Abort(NetError.TimedOut);
            return;
        }

        _keepAliveProbes++;
        SendControl(Sender.Unacknowledged - 1, TcpFlags.ACK);
        _lifeTimer.Set(now + Options.KeepAliveIntervalNs);
    }

    private void OnCorkExpired(long now)
    {
        _corkExpired = true;
        Sender.Output(now);
        _corkExpired = false;
    }

    private void Abort(NetError error)
    {
        SendControl(Sender.Next, TcpFlags.RST | TcpFlags.ACK);
        Fail(error);
    }

    // The connection ends with an error that the socket reports.
    private void Fail(NetError error)
    {
        Error = error;
        Finish(keepData: true);
        Notify(NetEvents.Readable | NetEvents.Writable | NetEvents.Error | NetEvents.HangUp | NetEvents.ReadHangUp);
    }

    // Data that came stays readable; everything else goes.
    private void Finish(bool keepData = true)
    {
        bool wasTimeWait = State == TcpState.TimeWait;
        State = TcpState.Closed;
        WantsFin = false;
        Sender.Clear();
        Receiver.AckTimer.Clear();
        CorkTimer.Clear();
        _lifeTimer.Clear();
        if (!keepData || Observer is null)
        {
            Receiver.Clear();
        }

        _layer.Remove(this, keepFlow: wasTimeWait);
    }

    private void Notify(NetEvents events) => Observer?.OnEvents(events);

    private bool SendQueued(SequenceNumber start, int length, TcpFlags flags)
    {
        bool copies = (_route.Interface.Link.Features & Link.LinkFeatures.TcpSegmentation) == 0;
        Packet packet = Stack.Pool.Rent(copies ? length : 0);
        int added = Sender.Queue.AddTo(packet, start, length, copies);
        if (added < length)
        {
            // More pieces than a packet holds: many small writes. Copied, they fit.
            packet.Release();
            packet = Stack.Pool.Rent(length);
            _ = Sender.Queue.AddTo(packet, start, length, copy: true);
        }

        packet.SegmentSize = length > Sender.Mss ? Sender.Mss : 0;
        return Send(packet, start, flags, default);
    }

    private void SendControl(SequenceNumber sequence, TcpFlags flags)
    {
        TcpOptions options = default;
        if ((flags & TcpFlags.RST) == 0 && UsesSack)
        {
            options.HasTimestamps = UsesTimestamps; // counts for the room
            Receiver.AddSacks(ref options);
        }

        _ = Send(Stack.Pool.Rent(0), sequence, flags, options);
    }

    private void SendSyn(SequenceNumber sequence)
    {
        bool answers = State == TcpState.SynReceived;
        TcpOptions options = new()
        {
            MaxSegmentSize = (ushort)Math.Min(LocalMss, ushort.MaxValue),
            SackPermitted = answers ? UsesSack : Options.OffersSack,
            WindowScale = (answers ? Sender.WindowScale > 0 || Receiver.WindowScale > 0 : Options.OffersWindowScale) ? (byte)Receiver.WindowScale : null,
            HasTimestamps = answers ? UsesTimestamps : Options.OffersTimestamps,
        };
        _ = Send(Stack.Pool.Rent(0), sequence, answers ? TcpFlags.SYN | TcpFlags.ACK : TcpFlags.SYN, options);
    }

    private bool Send(Packet packet, SequenceNumber sequence, TcpFlags flags, TcpOptions options)
    {
        long now = Stack.Host.NowNs;
        bool isSyn = (flags & TcpFlags.SYN) != 0;
        bool hasAck = (flags & TcpFlags.ACK) != 0;
        if (!isSyn)
        {
            options.HasTimestamps = UsesTimestamps;
        }

        if (options.HasTimestamps)
        {
            options.TimestampValue = _layer.Timestamp(now);
            options.TimestampEcho = hasAck ? _recentTimestamp : 0;
        }

        int window = Receiver.Window;
        if (!TcpOutput.Send(_layer, packet, Key, ref _route, Options, options, sequence, hasAck ? Receiver.Next : default, flags, isSyn ? Math.Min(window, ushort.MaxValue) : window >> Receiver.WindowScale))
        {
            return false;
        }

        if (hasAck)
        {
            AckIsDue = false;
            Receiver.OnAckSent(isSyn ? Math.Min(window, ushort.MaxValue) : window);
        }

        return true;
    }
}
