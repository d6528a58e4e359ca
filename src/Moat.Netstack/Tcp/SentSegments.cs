using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>What is sent and not acknowledged, in order of sequence: the scoreboard of RFC 6675 with the transmission times of RFC 8985. Guarded by the connection's lock.</summary>
/// <remarks>Neighbours that were sent at once and share their state stay one entry as long as nothing tells them apart; a selective acknowledgment of a part cuts it.</remarks>
internal sealed class SentSegments
{
    /// <summary>How many entries there may be: a peer that acknowledges every second byte of a large window gets its tail ignored, not a list without end.</summary>
    public const int MaxCount = 4096;

    private SentSegment[] _ring = new SentSegment[2];
    private int _first;

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of entries that the peer has.</summary>
    public int SackedBytes { get; private set; }

    /// <summary>Bytes of entries taken for lost and not sent again.</summary>
    public int LostBytes { get; private set; }

    /// <summary>Bytes of all entries.</summary>
    public int TotalBytes { get; private set; }

    /// <summary>Bytes that are thought to be on their way (RFC 6675's pipe).</summary>
    public int InFlightBytes => TotalBytes - SackedBytes - LostBytes;

    /// <summary>An entry.</summary>
    public ref readonly SentSegment this[int index] => ref At(index);

    /// <summary>Adds what has just been sent for the first time.</summary>
    public void Append(SequenceNumber start, SequenceNumber end, long nowNs, long delivered)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        At(Count++) = new SentSegment { Start = start, End = end, SentNs = nowNs, DeliveredBefore = delivered };
        TotalBytes += end - start;
    }

    /// <summary>Takes out what lies before <paramref name="until"/>, calling <paramref name="acknowledged"/> with each part that had not been known to be delivered.</summary>
    public void Acknowledge<TObserver>(SequenceNumber until, ref TObserver acknowledged)
        where TObserver : struct, IDeliveryObserver, allows ref struct
    {
        while (Count > 0 && At(0).Start < until)
        {
            ref SentSegment first = ref At(0);
            SentSegment part = first;
            part.End = SequenceNumber.Min(first.End, until);
            Uncount(part);
            if (!part.IsSacked)
            {
                acknowledged.OnDelivered(part);
            }

            if (first.End > until)
            {
                first.Start = until;
                return;
            }

            first = default;
            _first = (_first + 1) & (_ring.Length - 1);
            Count--;
        }
    }

    /// <summary>Marks what a SACK block covers, calling <paramref name="delivered"/> with each part that is new.</summary>
    public void Sack<TObserver>(SackBlock block, ref TObserver delivered)
        where TObserver : struct, IDeliveryObserver, allows ref struct
    {
        for (int i = IndexOf(block.Left); i < Count && At(i).Start < block.Right; i++)
        {
            if (At(i).IsSacked)
            {
                continue;
            }

            if (At(i).Start < block.Left)
            {
                if (!TrySplit(i, block.Left))
                {
                    return;
                }

                continue;
            }

            if (At(i).End > block.Right && !TrySplit(i, block.Right))
            {
                return;
            }

            ref SentSegment segment = ref At(i);
            Uncount(segment);
            segment.IsSacked = true;
            segment.IsLost = false;
            Recount(segment);
            delivered.OnDelivered(segment);
        }
    }

    /// <summary>Takes an entry for lost.</summary>
    public void MarkLost(int index)
    {
        ref SentSegment segment = ref At(index);
        if (!segment.IsInFlight)
        {
            return;
        }

        segment.IsLost = true;
        LostBytes += segment.Length;
    }

    /// <summary>Takes everything that the peer is not known to have for lost: the retransmission timer ran out.</summary>
    /// <param name="forgetSacks">Whether to distrust selective acknowledgments too: a peer may drop what it has acknowledged only selectively (RFC 2018 section 8).</param>
    public void MarkAllLost(bool forgetSacks)
    {
        for (int i = 0; i < Count; i++)
        {
            ref SentSegment segment = ref At(i);
            if (segment.IsSacked && forgetSacks)
            {
                Uncount(segment);
                segment.IsSacked = false;
                Recount(segment);
            }

            MarkLost(i);
        }
    }

    /// <summary>Takes for lost what was sent in larger segments than the path carries.</summary>
    public void MarkLongerLost(int segmentSize)
    {
        for (int i = 0; i < Count; i++)
        {
            if (At(i).Length > segmentSize)
            {
                MarkLost(i);
            }
        }
    }

    /// <summary>Takes nothing for lost any more: what was has only been late.</summary>
    public void ForgetLosses()
    {
        for (int i = 0; i < Count; i++)
        {
            At(i).IsLost = false;
        }

        LostBytes = 0;
    }

    /// <summary>The first entry taken for lost, or -1.</summary>
    public int FindLost()
    {
        if (LostBytes == 0)
        {
            return -1;
        }

        for (int i = 0; i < Count; i++)
        {
            if (At(i).IsLost)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>An entry, or its first <paramref name="length"/> bytes, has been sent again.</summary>
    public void MarkRetransmitted(int index, int length, long nowNs, long delivered)
    {
        if (length < At(index).Length)
        {
            Split(index, At(index).Start + length); // beyond the limit if need be: there are no more than full segments
        }

        ref SentSegment segment = ref At(index);
        Uncount(segment);
        segment.IsLost = false;
        segment.IsRetransmitted = true;
        segment.SentNs = nowNs;
        segment.DeliveredBefore = delivered;
        Recount(segment);
    }

    /// <summary>An entry was sent once more beside its transmission: its acknowledgment measures no round trip (Karn's rule).</summary>
    public void MarkAmbiguous(int index) => At(index).IsRetransmitted = true;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_ring);
        (_first, Count, SackedBytes, LostBytes, TotalBytes) = (0, 0, 0, 0, 0);
    }

    private ref SentSegment At(int index) => ref _ring[(_first + index) & (_ring.Length - 1)];

    // The entry that holds a sequence number, or the first behind it.
    private int IndexOf(SequenceNumber sequence)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (At(middle).End <= sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private bool TrySplit(int index, SequenceNumber at)
    {
        if (Count >= MaxCount)
        {
            return false;
        }

        Split(index, at);
        return true;
    }

    private void Split(int index, SequenceNumber at)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        for (int i = Count; i > index + 1; i--)
        {
            At(i) = At(i - 1);
        }

        Count++;
        At(index + 1) = At(index);
        At(index + 1).Start = at;
        At(index).End = at;
    }

    private void Uncount(in SentSegment segment)
    {
        TotalBytes -= segment.Length;
        SackedBytes -= segment.IsSacked ? segment.Length : 0;
        LostBytes -= segment.IsLost ? segment.Length : 0;
    }

    private void Recount(in SentSegment segment)
    {
        TotalBytes += segment.Length;
        SackedBytes += segment.IsSacked ? segment.Length : 0;
        LostBytes += segment.IsLost ? segment.Length : 0;
    }

    private void Grow()
    {
        SentSegment[] larger = new SentSegment[2 * _ring.Length];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = At(i);
        }

        (_ring, _first) = (larger, 0);
    }
}
