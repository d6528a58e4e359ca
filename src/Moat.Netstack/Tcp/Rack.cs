using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Recent acknowledgment (RFC 8985): a segment is lost when one that was sent later has arrived and a reordering window has passed. Guarded by the connection's lock.</summary>
internal struct Rack : IDeliveryObserver
{
    private const int MaxWindowMultiplier = 20;
    private const int PersistsRecoveries = 16;

    private SequenceNumber _end; // of the most recently sent segment that has arrived
    private long _sentNs; // when it was sent
    private SequenceNumber _highestSacked;
    private bool _hasHighest;
    private int _windowMultiplier;
    private int _recoveriesLeft; // for which the multiplier stays
    private SequenceNumber _round; // what ends the round trip in which a duplicate was told of
    private bool _isInRound;

    /// <summary>The time of this acknowledgment; set before it is processed.</summary>
    public long NowNs { get; set; }

    /// <summary>The smallest round trip known, to tell a retransmission's acknowledgment from the original's.</summary>
    public long MinRttNs { get; set; }

    /// <summary>The round trip of the most recently sent segment that has arrived, or 0.</summary>
    public long RttNs { get; private set; }

    /// <summary>Whether something has come later than what was sent after it.</summary>
    public bool SawReordering { get; private set; }

    /// <summary>Bytes that this acknowledgment found delivered.</summary>
    public int DeliveredBytes { get; private set; }

    /// <summary>The round trip of a segment that was sent once, for the retransmission timer, or 0.</summary>
    public long CleanRttNs { get; private set; }

    /// <summary>Starts a connection.</summary>
    public void Reset() => this = default;

    /// <summary>Starts an acknowledgment.</summary>
    public void Begin(long nowNs, long minRttNs)
    {
        NowNs = nowNs;
        MinRttNs = minRttNs;
        DeliveredBytes = 0;
        CleanRttNs = 0;
    }

    /// <inheritdoc/>
    public void OnDelivered(in SentSegment segment)
    {
        DeliveredBytes += segment.Length;
        long rtt = NowNs - segment.SentNs;
        if (segment.IsRetransmitted)
        {
            if (rtt < MinRttNs)
            {
                return; // it was the first transmission that arrived
            }
        }
        else
        {
            CleanRttNs = CleanRttNs == 0 ? rtt : Math.Min(CleanRttNs, rtt);
            SawReordering |= _hasHighest && segment.End < _highestSacked;
        }

        if (!_hasHighest || segment.End > _highestSacked)
        {
            _hasHighest = true;
            _highestSacked = segment.End;
        }

        if (segment.SentNs > _sentNs || (segment.SentNs == _sentNs && segment.End > _end))
        {
            _sentNs = segment.SentNs;
            _end = segment.End;
            RttNs = rtt;
        }
    }

    /// <summary>The peer said that it had something twice (DSACK): the window was too short. It grows once in a round trip (RFC 8985 section 6.2 step 4).</summary>
    public void OnDuplicate(SequenceNumber acknowledgment, SequenceNumber next)
    {
        if (_isInRound && acknowledgment < _round)
        {
            return;
        }

        (_isInRound, _round) = (true, next);
        _windowMultiplier = Math.Min(Math.Max(_windowMultiplier, 1) + 1, MaxWindowMultiplier);
        _recoveriesLeft = PersistsRecoveries;
    }

    /// <summary>What was taken for lost came late.</summary>
    public void OnReordering() => SawReordering = true;

    /// <summary>A recovery is over: the window shrinks again after enough of them.</summary>
    public void OnRecovered()
    {
        if (--_recoveriesLeft <= 0)
        {
            _windowMultiplier = 1;
        }
    }

    /// <summary>Takes for lost what is overdue.</summary>
    /// <param name="sent">What is unacknowledged.</param>
    /// <param name="smoothedRttNs">The smoothed round trip.</param>
    /// <param name="isRecovering">Whether a recovery is under way.</param>
    /// <param name="mss">The segment size.</param>
    /// <param name="nowNs">The time.</param>
    /// <returns>When to look again for what is not overdue yet, or 0.</returns>
    public readonly long DetectLoss(SentSegments sent, long smoothedRttNs, bool isRecovering, int mss, long nowNs)
    {
        const int DuplicateThreshold = 3;
        if (_sentNs == 0)
        {
            return 0;
        }

        long windowNs = 0;
        if (SawReordering || (!isRecovering && sent.SackedBytes < DuplicateThreshold * mss))
        {
            windowNs = Math.Min(MinRttNs / 4 * Math.Max(_windowMultiplier, 1), smoothedRttNs);
        }

        long again = 0;
        long rtt = Math.Max(RttNs, MinRttNs);
        for (int i = 0; i < sent.Count; i++)
        {
            ref readonly SentSegment segment = ref sent[i];
            if (!segment.IsInFlight)
            {
                continue;
            }

            bool wasSentBefore = segment.SentNs < _sentNs || (segment.SentNs == _sentNs && segment.End < _end);
            if (!wasSentBefore)
            {
                continue;
            }

            long due = segment.SentNs + rtt + windowNs;
            if (due <= nowNs)
            {
                sent.MarkLost(i);
            }
            else
            {
                again = again == 0 ? due : Math.Min(again, due);
            }
        }

        return again;
    }
}
