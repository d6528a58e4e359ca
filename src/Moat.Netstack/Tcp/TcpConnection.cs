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
    private readonly TcpArrival _arrival;
    private PeerTimestamp _peerClock;
    private TcpCounters _counts;
    private bool _isReceiving;
    private NetEvents _news; // while a segment is taken in: what the socket is told of when the lock has been left

    public TcpConnection(TcpLayer layer, FlowKey key, TcpOptionSet options, in RouteDecision route)
        : base(key)
    {
        _layer = layer;
        Options = options;
        Transmitter = new TcpTransmitter(this, layer, route);
        _arrival = new TcpArrival(this, layer);
        KeepAlive = new TcpKeepAlive(this);
        Partials = new PartialSegments(this);
        Sender = new TcpSender(this, options.CreateCongestionControl());
        Receiver = new TcpReceiver(this);
        Urgent = new TcpUrgent(this);
    }

    /// <summary>Guards everything.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The stack it is in.</summary>
    public NetworkStack Stack => _layer.Stack;

    /// <summary>The sending half.</summary>
    public TcpSender Sender { get; }

    /// <summary>The receiving half.</summary>
    public TcpReceiver Receiver { get; }

    /// <summary>Urgent data that has come.</summary>
    public TcpUrgent Urgent { get; }

    /// <summary>Makes and sends segments.</summary>
    public TcpTransmitter Transmitter { get; }

    /// <summary>Keep-alive, and the patience of an orphan.</summary>
    public TcpKeepAlive KeepAlive { get; }

    /// <summary>Whether less than a full segment may go out.</summary>
    public PartialSegments Partials { get; }

    /// <summary>The peer's newest timestamp.</summary>
    public ref PeerTimestamp PeerClock => ref _peerClock;

    /// <summary>What TCP_INFO counts.</summary>
    public ref TcpCounters Counts => ref _counts;

    /// <summary>Socket options that matter here.</summary>
    public TcpOptionSet Options { get; }

    /// <summary>Who is told of events; null once no socket is left.</summary>
    public ISocketObserver? Observer { get; set; }

    /// <summary>Where it stands.</summary>
    public TcpState State { get; set; } = TcpState.Closed;

    /// <summary>What went wrong; fetched once (SO_ERROR).</summary>
    public NetError Error { get; set; }

    /// <summary>Takes the error away. Under the lock.</summary>
    public NetError TakeError()
    {
        (NetError error, Error) = (Error, NetError.None);
        return error;
    }

    /// <summary>A transient error, reported if the connection times out (RFC 1122 section 4.2.3.9).</summary>
    public NetError SoftError { get; private set; }

    /// <summary>Whether both sides use selective acknowledgments.</summary>
    public bool UsesSack { get; private set; }

    /// <summary>Whether both sides use timestamps.</summary>
    public bool UsesTimestamps { get; private set; }

    /// <summary>Whether both sides shift windows, be it by nothing.</summary>
    public bool UsesWindowScale { get; private set; }

    /// <summary>Whether the handshake is done.</summary>
    public bool IsSynchronized => State is not (TcpState.Closed or TcpState.SynSent or TcpState.SynReceived);

    /// <summary>Whether data and FIN may leave in this state.</summary>
    public bool MaySend => State is TcpState.Established or TcpState.CloseWait or TcpState.FinWait1 or TcpState.LastAck or TcpState.Closing;

    /// <summary>Whether the socket has said that no more data comes and FIN has not been sent.</summary>
    public bool WantsFin { get; private set; }

    /// <summary>Whether the peer has said that it sends no more.</summary>
    public bool HasReceivedFin { get; set; }

    /// <summary>An acknowledgment is to go out, alone if nothing else does.</summary>
    public bool AckIsDue { get; set; }

    /// <summary>Whether the socket was refused memory: it is told when it holds little enough to get some.</summary>
    public bool LacksMemory { get; set; }

    /// <summary>Whether no socket is left and the layer counts it.</summary>
    public bool IsOrphan { get; set; }

    /// <summary>The port that goes when the connection does, once its socket is gone.</summary>
    public PortBinding? Binding { get; set; }

    /// <summary>The size of the peer's full segments, as far as it has been seen.</summary>
    public int ReceiveMss { get; set; } = TcpLimits.DefaultMss;

    /// <summary>The smoothed round trip.</summary>
    public long SmoothedRttNs => Sender.Rtt.SmoothedNs;

    /// <summary>Begins a connection: sends SYN. Under the lock.</summary>
    /// <param name="remains">What is left of the connection between the two ends before, or null.</param>
    /// <param name="nowNs">The time.</param>
    public void Connect(TcpTimeWait? remains, long nowNs)
    {
        State = TcpState.SynSent;
        SequenceNumber initial = _layer.InitialSequence(Key, remains, nowNs);
        Sender.Start(initial);
        Receiver.WindowScale = Options.WindowScaleFor(Receiver.Buffer);
        Transmitter.SendSyn(initial);
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
            _peerClock.Take(segment.Options.TimestampValue, nowNs);
        }

        Receiver.OnAckSent(Receiver.Window);
    }

    /// <inheritdoc/>
    public override int HeldBytes => 3072;

    /// <inheritdoc/>
    public override void Receive(Packet packet, in TcpSegment segment, in IpInfo info)
    {
        if (!Options.Ip.AcceptsHops(info.Source, info.TimeToLive) || !SocketFiltering.Passes(Options.Ip, packet, packet.Start, segment.Header.HeaderLength, info))
        {
            packet.Release();
            return;
        }

        Take(packet, segment.CutTo(packet.Length));
    }

    private void Take(Packet packet, in TcpSegment segment)
    {
        long now = Stack.Host.NowNs;
        NetEvents news;
        ISocketObserver? observer;
        lock (Lock)
        {
            _isReceiving = true;
            KeepAlive.OnReceived(now);
            _counts.SegmentsIn++;
            _counts.DataSegmentsIn += segment.PayloadLength > 0 ? 1 : 0;
            if (State == TcpState.SynSent)
            {
                _arrival.ReceiveInSynSent(packet, segment, now);
            }
            else if (State == TcpState.Closed)
            {
                packet.Release();
            }
            else
            {
                _arrival.ReceiveSynchronized(packet, segment, now);
            }

            Flush(now);
            (news, observer) = (_news, Observer);
            _news = NetEvents.None;
            _isReceiving = false;
        }

        if (news != NetEvents.None)
        {
            observer?.OnEvents(news); // a thread that it wakes asks for the lock at once
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
                if (Transmitter.TryLowerPathMtu(error.Mtu))
                {
                    Sender.OnPathMtu(Transmitter.EffectiveMss, now);
                }
            }
            else if (State is TcpState.SynSent or TcpState.SynReceived)
            {
                // As in Linux every error ends an attempt, though RFC 1122 section 4.2.3.9 would have some be transient.
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
            KeepAlive.WaitForFin(nowNs);
        }
    }

    /// <summary>Sends RST and ends. Under the lock.</summary>
    public void Abort()
    {
        if (IsSynchronized || State == TcpState.SynReceived)
        {
            Transmitter.SendControl(Sender.Next, TcpFlags.RST | TcpFlags.ACK);
        }

        Finish();
    }

    /// <summary>Data has been read: the window may have to be told. Under the lock.</summary>
    public void OnConsumed(int bytes)
    {
        bool opensWindow = Receiver.Consume(bytes);
        Urgent.OnConsumed(Receiver.ReadPosition);
        if (opensWindow && State is TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2)
        {
            Transmitter.SendAck();
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

        NetEvents events = HasReceivedFin || Urgent.HasBytes(Options.ReceiveLowWater) ? NetEvents.Readable : 0;
        events |= Urgent.IsAvailable ? NetEvents.Urgent : 0;
        events |= HasReceivedFin ? NetEvents.ReadHangUp : 0;
        events |= HasReceivedFin && HasShutDownSend ? NetEvents.HangUp : 0;
        events |= HasShutDownSend || IsWritable(sendBuffer) ? NetEvents.Writable : 0;
        return events | (Error != NetError.None ? NetEvents.Error : 0);
    }

    /// <summary>Whether the socket has said that it sends no more.</summary>
    public bool HasShutDownSend => WantsFin || State is TcpState.FinWait1 or TcpState.FinWait2 or TcpState.Closing or TcpState.LastAck or TcpState.TimeWait;

    /// <summary>Whether a third of the send buffer is free (what makes Linux say POLLOUT).</summary>
    public bool IsWritable(long sendBuffer) => Sender.Queue.Length < sendBuffer - (sendBuffer / 3) && Sender.HasUnsentRoom(1);

    /// <summary>Whether to stop trying after so many timeouts in a row; if so, the connection has ended.</summary>
    public bool GivesUp(int timeouts, long stalledNs)
    {
        int limit = State switch
        {
            TcpState.SynSent => Options.SynRetries + TcpLimits.SynLinearTimeouts,
            TcpState.SynReceived => TcpLimits.SynAckRetries,
            _ => Observer is null ? TcpLimits.OrphanRetries : TcpLimits.Retries,
        };
        if (timeouts <= limit && !HasTriedLongEnough(stalledNs) && (Options.UserTimeoutNs == 0 || stalledNs < Options.UserTimeoutNs))
        {
            return false;
        }

        Fail(SoftError != NetError.None ? SoftError : NetError.TimedOut);
        return true;
    }

    // A connection attempt lasts no longer than its retries would if they all backed off.
    private bool HasTriedLongEnough(long stalledNs) =>
        State == TcpState.SynSent && stalledNs >= ((2L << Math.Min(Options.SynRetries, 16)) - 1) * TcpLimits.InitialRtoNs;

    /// <summary>What TCP_INFO shows. Under the lock.</summary>
    public TcpStatus Status => TcpReport.Of(this);

    /// <inheritdoc/>
    public override TcpFlowStatus Describe()
    {
        lock (Lock)
        {
            return new TcpFlowStatus { Local = Key.Local, Remote = Key.Remote, Status = Status, SendQueue = Sender.Queue.Length, ReceiveQueue = Receiver.AvailableBytes };
        }
    }

    /// <summary>Another way to control congestion goes on with the window of the one before. Under the lock.</summary>
    public void ChangeCongestionControl()
    {
        CongestionControl before = Sender.Congestion;
        CongestionControl after = Options.CreateCongestionControl();
        (after.Mss, after.Window, after.SlowStartThreshold) = (before.Mss, before.Window, before.SlowStartThreshold);
        Sender.Congestion = after;
    }

    /// <summary>FIN is out.</summary>
    public void OnFinSent() => WantsFin = false;

    /// <summary>The handshake is done.</summary>
    public void Establish(SequenceNumber sequence, int window, long now)
    {
        State = TcpState.Established;
        Sender.Establish(sequence, window);
        Sender.SetMss(Transmitter.EffectiveMss);
        KeepAlive.Restart(now);
        Notify(NetEvents.Writable);
        _layer.OnEstablished(this);
    }

    /// <summary>Takes what the peer's SYN says.</summary>
    public void TakeHandshake(in TcpOptions options, int peerMss)
    {
        Transmitter.SetPeerMss(peerMss);
        UsesTimestamps = options.HasTimestamps && Options.OffersTimestamps;
        UsesSack = options.SackPermitted && Options.OffersSack;
        if (options.WindowScale is { } scale && Options.OffersWindowScale)
        {
            Sender.WindowScale = scale;
            UsesWindowScale = true;
        }
        else
        {
            Receiver.WindowScale = 0;
        }

        Sender.SetMss(Transmitter.EffectiveMss);
    }

    /// <summary>FIN is to be sent.</summary>
    public void EnterFinState() => State = State == TcpState.CloseWait ? TcpState.LastAck : TcpState.FinWait1;

    /// <summary>Both sides have closed, this one first.</summary>
    public void EnterTimeWait(long now)
    {
        Transmitter.SendAck();
        AckIsDue = false;
        LeaveToTimeWait(now);
    }

    /// <summary>The connection's remains take its place.</summary>
    public void LeaveToTimeWait(long now)
    {
        _layer.EnterTimeWait(this, Sender.Next, Receiver.Next, Receiver.Window >> Receiver.WindowScale, UsesTimestamps ? _peerClock.Recent : null, now);
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
            Transmitter.SendAck();
        }
    }

    /// <summary>Sends RST and ends with an error.</summary>
    public void Abort(NetError error)
    {
        Transmitter.SendControl(Sender.Next, TcpFlags.RST | TcpFlags.ACK);
        Fail(error);
    }

    /// <summary>The connection ends with an error that the socket reports.</summary>
    public void Fail(NetError error)
    {
        Error = error;
        Finish(keepData: true);
        Notify(NetEvents.Readable | NetEvents.Writable | NetEvents.Error | NetEvents.HangUp | NetEvents.ReadHangUp);
    }

    /// <summary>The connection ends. Data that came stays readable; everything else goes.</summary>
    public void Finish(bool keepData = true)
    {
        bool wasTimeWait = State == TcpState.TimeWait;
        State = TcpState.Closed;
        WantsFin = false;
        Sender.Clear();
        Receiver.AckTimer.Remove();
        Partials.Clear();
        KeepAlive.Clear();
        if (!keepData || Observer is null)
        {
            Receiver.Clear();
        }

        _layer.Remove(this, keepFlow: wasTimeWait);
    }

    /// <summary>Tells the socket, once the segment that is being taken in has been. Under the lock.</summary>
    public void Notify(NetEvents events)
    {
        if (_isReceiving)
        {
            _news |= events;
        }
        else
        {
            Observer?.OnEvents(events);
        }
    }
}
