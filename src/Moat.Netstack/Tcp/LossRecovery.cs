using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>What is lost of what a connection has sent (RFC 8985, without SACK RFC 6582), how the congestion window follows (RFC 6937), and how it comes back
/// if nothing was lost after all. Guarded by the connection's lock.</summary>
internal sealed class LossRecovery(TcpConnection connection, SentSegments sent)
{
    private const int DuplicateAckThreshold = 3;

    private Rack _rack;
    private RateReduction _reduction;
    private RecoveryUndo _undo;
    private SequenceNumber _point; // a recovery ends when this is acknowledged
    private int _duplicateAcks;

    /// <summary>Whether a loss is being repaired.</summary>
    public RecoveryState State { get; private set; }

    /// <summary>Bytes that the acknowledgment under way found delivered.</summary>
    public int DeliveredBytes => _rack.DeliveredBytes;

    /// <summary>A round trip that it measured, or 0.</summary>
    public long CleanRttNs => _rack.CleanRttNs;

    private TcpSender Sender => connection.Sender;

    private CongestionControl Congestion => connection.Sender.Congestion;

    /// <summary>The connection begins.</summary>
    public void Start(SequenceNumber initial) => _point = initial;

    /// <summary>An acknowledgment begins, or a look at what is overdue.</summary>
    public void Begin(long minRttNs, long nowNs) => _rack.Begin(nowNs, minRttNs);

    /// <summary>What lies before a sequence number has arrived.</summary>
    public void TakeAcknowledgment(SequenceNumber acknowledgment)
    {
        sent.Acknowledge(acknowledgment, ref _rack);
        _duplicateAcks = 0;
    }

    /// <summary>Takes what the peer has beyond its acknowledgment.</summary>
    public void TakeSacks(SequenceNumber acknowledgment, in TcpOptions options)
    {
        for (int i = 0; i < options.SackCount; i++)
        {
            SackBlock block = options.Sack(i);
            if (block.Left >= block.Right || block.Right > Sender.Next)
            {
                continue;
            }

            if (i == 0 && IsDuplicate(block, acknowledgment, options))
            {
                _rack.OnDuplicate(acknowledgment, Sender.Next);
                _undo.OnDuplicate(block);
                continue;
            }

            if (block.Left >= Sender.Unacknowledged)
            {
                sent.Sack(block, ref _rack);
            }
        }
    }

    /// <summary>An acknowledgment that neither makes progress nor says anything else, where there is no SACK.</summary>
    public void CountDuplicate() => _duplicateAcks++;

    /// <summary>Ends an acknowledgment: finds what is lost, and sets the congestion window.</summary>
    /// <param name="advances">Whether it made progress.</param>
    /// <param name="windowWasUsed">Whether the congestion window was full before.</param>
    /// <param name="echo">The timestamp it answers.</param>
    /// <param name="nowNs">The time.</param>
    /// <returns>When to look again for what is not overdue yet, or 0.</returns>
    public long Finish(bool advances, bool windowWasUsed, uint echo, long nowNs)
    {
        if (_undo.IsPossible && (_undo.WasAllSuperfluous || (State != RecoveryState.Open && advances && _undo.IsForTheOriginal(connection.UsesTimestamps, echo))))
        {
            Undo();
        }

        long again = Detect(advances, nowNs);
        bool hasProgress = advances || (_rack.SawReordering && _rack.DeliveredBytes > 0); // where segments come in any order, selective acknowledgments are progress too
        if (hasProgress && (State == RecoveryState.Loss || (State == RecoveryState.Open && windowWasUsed)))
        {
            Congestion.OnAcknowledged(_rack.DeliveredBytes, Sender.Rtt.SmoothedNs, nowNs);
        }
        else if (State == RecoveryState.Fast)
        {
            _reduction.OnDelivered(_rack.DeliveredBytes, sent.InFlightBytes, Congestion.SlowStartThreshold, Sender.Mss, advances && sent.LostBytes == 0);
            Congestion.Window = sent.InFlightBytes + _reduction.Allowed;
        }

        if (State != RecoveryState.Open && Sender.Unacknowledged >= _point)
        {
            if (State == RecoveryState.Fast)
            {
                Congestion.Window = Congestion.SlowStartThreshold;
            }

            State = RecoveryState.Open;
            _rack.OnRecovered();
        }

        return again;
    }

    /// <summary>Looks for what has become overdue.</summary>
    /// <returns>When to look again, or 0.</returns>
    public long DetectOverdue(long nowNs)
    {
        Begin(Sender.Rtt.MinNs, nowNs);
        return Detect(advances: false, nowNs);
    }

    /// <summary>The retransmission timer ran out.</summary>
    /// <param name="timeouts">How often in a row.</param>
    /// <param name="nowNs">The time.</param>
    public void OnTimeout(int timeouts, long nowNs)
    {
        if (State == RecoveryState.Open || Sender.Unacknowledged >= _point)
        {
            Congestion.Remember();
            _undo.Start(Sender.Unacknowledged);
            Congestion.OnTimeout(nowNs); // a loss that a recovery has answered is answered once
        }

        Congestion.Window = Sender.Mss;
        State = RecoveryState.Loss;
        _point = Sender.Next;
        _duplicateAcks = 0;
        sent.MarkAllLost(forgetSacks: timeouts > 1);
    }

    /// <summary>Bytes are sent for the first time.</summary>
    public void OnSent(int bytes) => _reduction.OnSent(bytes);

    /// <summary>Bytes are sent again.</summary>
    public void OnRetransmitted(int bytes, uint timestamp)
    {
        _reduction.OnSent(bytes);
        _undo.OnRetransmitted(bytes, timestamp);
    }

    // RFC 2883 section 4: the first block says what came twice, if it lies before the acknowledgment or inside the second block.
    private static bool IsDuplicate(SackBlock first, SequenceNumber acknowledgment, in TcpOptions options)
    {
        if (first.Right <= acknowledgment)
        {
            return true;
        }

        return options.SackCount > 1 && first.Left >= options.Sack(1).Left && first.Right <= options.Sack(1).Right;
    }

    private long Detect(bool advances, long nowNs)
    {
        long again = 0;
        if (connection.UsesSack)
        {
            if (sent.SackedBytes > 0 || sent.LostBytes > 0 || State != RecoveryState.Open)
            {
                again = _rack.DetectLoss(sent, Sender.Rtt.SmoothedNs, State != RecoveryState.Open, Sender.Mss, nowNs);
            }
        }
        else if (sent.Count > 0 && (_duplicateAcks == DuplicateAckThreshold || (State == RecoveryState.Fast && advances && Sender.Unacknowledged < _point)))
        {
            sent.MarkLost(0); // a third duplicate, or a partial acknowledgment (RFC 6582)
        }

        if (sent.LostBytes > 0 && State == RecoveryState.Open)
        {
            Enter(nowNs);
        }

        return again;
    }

    private void Enter(long nowNs)
    {
        State = RecoveryState.Fast;
        _point = Sender.Next;
        _reduction.Start(sent.TotalBytes);
        _undo.Start(Sender.Unacknowledged);
        Congestion.Remember();
        Congestion.OnLoss(nowNs);
        Congestion.Window = sent.InFlightBytes + Sender.Mss; // the first retransmission goes out at once
    }

    // What is lost all the same is found anew, and begins a recovery of its own.
    private void Undo()
    {
        Congestion.Undo();
        _rack.OnReordering();
        State = RecoveryState.Open;
        sent.ForgetLosses();
        _undo.Stop();
    }
}
