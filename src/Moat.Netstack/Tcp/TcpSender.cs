using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The sending half of a connection: what to send when, what is lost, and how fast. Guarded by the connection's lock.</summary>
internal sealed class TcpSender
{
    private readonly TcpConnection _connection;
    private readonly SentSegments _sent = new();
    private readonly LossRecovery _recovery;
    private RttEstimator _rtt;
    private int _backOff;
    private long _delivered;
    private long _lastSentNs;
    private SenderTimer _timerKind;
    private bool _probedTail;
    private bool _overridesSilly; // a window too small for a segment has stayed so for a timeout (RFC 9293 section 3.8.6.2.1)
    private bool _owesUnsentRoom; // somebody may not write before more has been sent
    private UrgentMark _urgent;
    private SequenceNumber _windowSequence; // SND.WL1: of the segment that said what the window is

    public TcpSender(TcpConnection connection, CongestionControl congestion)
    {
        _connection = connection;
        Congestion = congestion;
        _recovery = new LossRecovery(connection, _sent);
        Timer = new TcpTimer(connection, static (owner, now) => owner.Sender.OnTimer(now));
    }

    /// <summary>Bytes the socket has been given and the peer has not acknowledged.</summary>
    public SendQueue Queue { get; } = new();

    /// <summary>The congestion window.</summary>
    public CongestionControl Congestion { get; set; }

    /// <summary>Retransmission, tail loss probe, reordering and zero-window probe: only one is set at a time.</summary>
    public TcpTimer Timer { get; }

    /// <summary>SND.UNA.</summary>
    public SequenceNumber Unacknowledged { get; private set; }

    /// <summary>SND.NXT: behind everything that has been sent.</summary>
    public SequenceNumber Next { get; private set; }

    /// <summary>SND.WND, unscaled.</summary>
    public int Window { get; private set; }

    /// <summary>The largest window the peer has shown.</summary>
    public int MaxWindow { get; private set; }

    /// <summary>The peer's window shift.</summary>
    public int WindowScale { get; set; }

    /// <summary>Payload bytes of a full segment.</summary>
    public int Mss { get; private set; } = TcpLimits.DefaultMss;

    /// <summary>Whether a loss is being repaired.</summary>
    public RecoveryState Recovery => _recovery.State;

    /// <summary>Segments sent more than once, for TCP_INFO.</summary>
    public long Retransmissions { get; private set; }

    /// <summary>Retransmission timeouts in a row.</summary>
    public int Timeouts { get; private set; }

    /// <summary>When the oldest unacknowledged data was first found missing, for the user timeout; 0 if nothing is.</summary>
    public long StalledSinceNs { get; private set; }

    /// <summary>Round trips, for TCP_INFO.</summary>
    public RttEstimator Rtt => _rtt;

    /// <summary>Bytes the peer has out of order.</summary>
    public int SackedBytes => _sent.SackedBytes;

    /// <summary>Bytes taken for lost.</summary>
    public int LostBytes => _sent.LostBytes;

    /// <summary>Whether everything that has been queued, and FIN if it was, is acknowledged.</summary>
    public bool IsEmpty => _sent.Count == 0 && Queue.Length == 0;

    /// <summary>The retransmission time with its back-off.</summary>
    public long RtoNs => Math.Min(_rtt.RtoNs << Math.Min(_backOff, 16), TcpLimits.MaxRtoNs);

    /// <summary>Takes the initial sequence number; SYN is number <paramref name="initial"/>.</summary>
    public void Start(SequenceNumber initial)
    {
        Unacknowledged = initial;
        Next = initial;
        _recovery.Start(initial);
        Queue.Reset(initial + 1);
    }

    /// <summary>The segment size has been learnt, or the path's MTU has changed.</summary>
    public void SetMss(int mss)
    {
        Mss = mss;
        Congestion.Mss = mss;
    }

    /// <summary>The handshake is done: the first window of the peer, and the initial congestion window.</summary>
    public void Establish(SequenceNumber sequence, int window)
    {
        TakeWindow(sequence, window);
        Congestion.Start();
    }

    /// <summary>When data was sent last.</summary>
    public long LastSentNs => _lastSentNs;

    /// <summary>What <see cref="Timer"/> is set for.</summary>
    public TcpTimerKind WaitsFor => !Timer.IsSet ? TcpTimerKind.None : _timerKind == SenderTimer.Probe ? TcpTimerKind.WindowProbe : TcpTimerKind.Retransmit;

    /// <summary>Where urgent data ends.</summary>
    public ref UrgentMark Urgent => ref _urgent;

    /// <summary>Records that SYN or FIN, or a segment, has been sent for the first time.</summary>
    public void OnSent(SequenceNumber end, long nowNs)
    {
        _sent.Append(Next, end, nowNs, _delivered);
        Next = end;
        _lastSentNs = nowNs;
        if (_timerKind == SenderTimer.Retransmit)
        {
            _ = TryArmTailProbe(nowNs); // the timeout itself stays: it is about older data (RFC 6298 section 5)
        }
        else if (_timerKind != SenderTimer.Reorder)
        {
            ArmForData(nowNs);
        }
    }

    /// <summary>Takes the acknowledgment of an acceptable segment.</summary>
    /// <param name="acknowledgment">SEG.ACK, not beyond SND.NXT.</param>
    /// <param name="options">With the SACK blocks.</param>
    /// <param name="window">SEG.WND, unscaled.</param>
    /// <param name="sequence">SEG.SEQ: whether the segment is new enough to say what the window is (RFC 9293 section 3.10.7.4).</param>
    /// <param name="isDuplicate">Whether it has no data, no flags, and the window of before: it counts as a duplicate where there is no SACK.</param>
    /// <param name="nowNs">The time.</param>
    public void Acknowledge(SequenceNumber acknowledgment, in TcpOptions options, int window, SequenceNumber sequence, bool isDuplicate, long nowNs)
    {
        bool windowWasUsed = _sent.InFlightBytes + Mss > Congestion.Window;
        bool advances = acknowledgment > Unacknowledged;
        _recovery.Begin(_rtt.MinNs, nowNs);
        int sackedBefore = _sent.SackedBytes;
        if (advances)
        {
            _urgent.Acknowledge(acknowledgment);
            _recovery.TakeAcknowledgment(acknowledgment);
            SequenceNumber dataEnd = SequenceNumber.Min(acknowledgment, Queue.End);
            if (dataEnd > Queue.Start)
            {
                _connection.Counts.BytesAcknowledged += dataEnd - Queue.Start;
                Queue.Acknowledge(dataEnd);
            }

            Unacknowledged = acknowledgment;
            _backOff = 0;
            Timeouts = 0;
            StalledSinceNs = 0;
            _probedTail = false;
        }

        if (advances || sequence > _windowSequence || (sequence == _windowSequence && acknowledgment == Unacknowledged))
        {
            TakeWindow(sequence, window);
        }

        if (_timerKind == SenderTimer.Probe)
        {
            Timeouts = 0; // the peer lives: its window may stay closed as long as it likes
            StalledSinceNs = 0;
        }

        _recovery.TakeSacks(acknowledgment, options);
        _delivered += _recovery.DeliveredBytes;
        if (_recovery.CleanRttNs > 0)
        {
            _rtt.Add(_recovery.CleanRttNs, nowNs);
        }

        if (!_connection.UsesSack && isDuplicate && !advances && _sent.Count > 0)
        {
            _recovery.CountDuplicate();
        }

        LookAgain(_recovery.Finish(advances, windowWasUsed, options.TimestampEcho, nowNs));
        if (advances || _sent.SackedBytes != sackedBefore)
        {
            ArmForData(nowNs);
        }
    }

    /// <summary>Whether a writer may add to what has not been sent yet (TCP_NOTSENT_LOWAT). One that may not is told when it may.</summary>
    /// <param name="doublings">How often the amount counts double: once for poll(2), so that there is room worth waking up for.</param>
    public bool HasUnsentRoom(int doublings)
    {
        uint limit = _connection.Options.NotSentLowWater;
        _owesUnsentRoom = limit != 0 && (long)(Queue.End - Next) << doublings >= limit;
        return !_owesUnsentRoom;
    }

    /// <summary>Sends what may be sent: lost segments first, then new data, then FIN.</summary>
    public void Output(long nowNs)
    {
        if (!_connection.MaySend)
        {
            return;
        }

        if (_sent.Count == 0 && _lastSentNs != 0 && nowNs - _lastSentNs > RtoNs && Queue.Length > 0)
        {
            Congestion.OnIdle((int)Math.Min((nowNs - _lastSentNs) / RtoNs, 30));
            _lastSentNs = nowNs;
        }

        RetransmitLost(nowNs);
        SendNew(nowNs);
        if (_timerKind == SenderTimer.None && _sent.Count == 0 && Queue.Length > 0)
        {
            Arm(SenderTimer.Probe, nowNs + RtoNs); // the window is closed or too small to be worth a segment, or there is no route
        }

        if (_owesUnsentRoom && HasUnsentRoom(1))
        {
            _connection.Notify(NetEvents.Writable);
        }
    }

    /// <summary>The path carries less than was thought: what is in flight is sent again in smaller segments (RFC 1191 section 6.4).</summary>
    public void OnPathMtu(int mss, long nowNs)
    {
        if (mss >= Mss)
        {
            return;
        }

        SetMss(mss);
        _sent.MarkLongerLost(mss);
        Output(nowNs);
    }

    /// <summary>Forgets everything: the connection is gone.</summary>
    public void Clear()
    {
        Timer.Remove();
        _timerKind = SenderTimer.None;
        _sent.Clear();
        Queue.Reset(Next);
    }

    private void TakeWindow(SequenceNumber sequence, int window)
    {
        _windowSequence = sequence;
        Window = window;
        MaxWindow = Math.Max(MaxWindow, window);
    }

    private void LookAgain(long deadlineNs)
    {
        if (deadlineNs > 0)
        {
            Arm(SenderTimer.Reorder, deadlineNs);
        }
    }

    private void RetransmitLost(long nowNs)
    {
        while (_sent.FindLost() is var index and >= 0 && (_sent.InFlightBytes == 0 || _sent.InFlightBytes + Mss <= Congestion.Window))
        {
            SentSegment lost = _sent[index];
            int length = Math.Min(lost.Length, Mss);
            if (!_connection.Transmitter.Retransmit(lost.Start, lost.Start + length))
            {
                return;
            }

            int sent = Math.Min(length, lost.Length);
            _sent.MarkRetransmitted(index, sent, nowNs, _delivered);
            _recovery.OnRetransmitted(sent, _connection.Transmitter.Timestamp(nowNs));
            Retransmissions++;
            _lastSentNs = nowNs;
            if (_timerKind is not (SenderTimer.Retransmit or SenderTimer.Reorder))
            {
                Arm(SenderTimer.Retransmit, nowNs + RtoNs);
            }
        }
    }

    private void SendNew(long nowNs)
    {
        while (true)
        {
            int unsent = (int)Math.Min(Queue.End - Next, int.MaxValue);
            if (unsent <= 0)
            {
                break;
            }

            int length = SegmentSizing.Choose(_connection, unsent, _sent.InFlightBytes, _overridesSilly);
            if (length == 0 || _sent.Count >= SentSegments.MaxCount)
            {
                break;
            }

            if (!_connection.Transmitter.SendData(Next, length, isLast: length == unsent))
            {
                break;
            }

            _recovery.OnSent(length);
            OnSent(Next + length, nowNs);
            _connection.Partials.OnSent(Next, length);
            _connection.Receiver.OnDataSent(nowNs);
        }

        if (_connection.WantsFin && Next == Queue.End)
        {
            _connection.Transmitter.SendFin(Next);
            OnSent(Next + 1, nowNs);
            _connection.OnFinSent();
        }
    }

    private void ArmForData(long nowNs)
    {
        if (_timerKind == SenderTimer.Reorder && Timer.IsSet)
        {
            return;
        }

        if (_sent.Count == 0)
        {
            Disarm();
            return;
        }

        if (!TryArmTailProbe(nowNs))
        {
            Arm(SenderTimer.Retransmit, nowNs + RtoNs);
        }
    }

    // A probe of the tail comes before the timeout, once, when nothing tells of a loss (RFC 8985 section 7).
    private bool TryArmTailProbe(long nowNs)
    {
        const long WorstDelayedAckNs = 200_000_000;
        const long GranularityNs = 2_000_000;
        if (!_connection.UsesSack || Recovery != RecoveryState.Open || _sent.SackedBytes > 0 || _probedTail || _rtt.SmoothedNs == 0 || !_connection.IsSynchronized)
        {
            return false;
        }

        long probe = nowNs + (2 * _rtt.SmoothedNs) + (_sent.TotalBytes <= Mss ? WorstDelayedAckNs : GranularityNs);
        long timeout = Math.Max(_sent[0].SentNs + RtoNs, nowNs); // of the oldest data: new data puts the probe off, but not for ever
        Arm(SenderTimer.TailProbe, Math.Min(probe, timeout));
        return true;
    }

    private void OnTimer(long nowNs)
    {
        SenderTimer kind = _timerKind;
        _timerKind = SenderTimer.None;
        switch (kind)
        {
            case SenderTimer.Reorder:
                LookAgain(_recovery.DetectOverdue(nowNs));
                Output(nowNs);
                ArmForData(nowNs);
                break;
            case SenderTimer.TailProbe:
                ProbeTail(nowNs);
                break;
            case SenderTimer.Retransmit:
                OnTimeout(nowNs);
                break;
            case SenderTimer.Probe:
                ProbeWindow(nowNs);
                break;
        }
    }

    private void ProbeTail(long nowNs)
    {
        _probedTail = true;
        if (Queue.End > Next && Unacknowledged + Window > Next)
        {
            Congestion.Window = Math.Max(Congestion.Window, _sent.InFlightBytes + Mss);
            SendNew(nowNs);
        }
        else if (_sent.Count > 0)
        {
            SentSegment last = _sent[_sent.Count - 1];
            SequenceNumber start = last.Length > Mss ? last.End - Mss : last.Start;
            if (_connection.Transmitter.Retransmit(start, last.End))
            {
                _sent.MarkAmbiguous(_sent.Count - 1);
                Retransmissions++;
            }
        }

        Arm(SenderTimer.Retransmit, nowNs + RtoNs);
    }

    private void OnTimeout(long nowNs)
    {
        if (_sent.Count == 0)
        {
            return;
        }

        StalledSinceNs = StalledSinceNs == 0 ? _sent[0].SentNs : StalledSinceNs;
        Timeouts++;
        _connection.Counts.Timeouts++;
        _connection.Counts.TimeoutRecoveries += Timeouts == 1 ? 1 : 0;
        if (_connection.GivesUp(Timeouts, nowNs - StalledSinceNs))
        {
            return;
        }

        _backOff += _connection.State == TcpState.SynSent && Timeouts <= TcpLimits.SynLinearTimeouts ? 0 : 1;
        _recovery.OnTimeout(Timeouts, nowNs);
        RetransmitLost(nowNs);
        Arm(SenderTimer.Retransmit, nowNs + RtoNs);
    }

    // The peer's window is closed: one byte beyond it makes it say what it is (RFC 9293 section 3.8.6.1).
    private void ProbeWindow(long nowNs)
    {
        if (Window > 0 || Queue.Length == 0)
        {
            _overridesSilly = true;
            Output(nowNs);
            _overridesSilly = false;
            return;
        }

        StalledSinceNs = StalledSinceNs == 0 ? nowNs : StalledSinceNs;
        if (_connection.GivesUp(++Timeouts, nowNs - StalledSinceNs))
        {
            return;
        }

        _connection.Transmitter.SendWindowProbe(Unacknowledged - 1);
        _backOff++;
        Arm(SenderTimer.Probe, nowNs + RtoNs);
    }

    private void Arm(SenderTimer kind, long deadlineNs)
    {
        _timerKind = kind;
        Timer.Set(deadlineNs);
    }

    private void Disarm()
    {
        _timerKind = SenderTimer.None;
        Timer.Clear();
    }
}
