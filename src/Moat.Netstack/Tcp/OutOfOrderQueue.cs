using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Segments that came before the ones they follow: sorted, without overlap. Guarded by the connection's lock.</summary>
internal sealed class OutOfOrderQueue
{
    /// <summary>How many segments wait at most, however small they are.</summary>
    public const int MaxSegments = 2048;

    private readonly List<Entry> _entries = []; // by sequence

    /// <summary>The memory of what waits.</summary>
    public long TrueSize { get; private set; }

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => _entries.Count == 0;

    /// <summary>Takes a segment's data, which the packet begins with; what is there already is cut off it.</summary>
    /// <returns>The contiguous run that the data belongs to now, for a SACK block; null if nothing of it was new or there was no room.</returns>
    public SackBlock? Add(Packet packet, SequenceNumber start)
    {
        SequenceNumber end = start + packet.Length;
        int index = LowerBound(start);
        if (index > 0 && _entries[index - 1].End > start)
        {
            int overlap = _entries[index - 1].End - start;
            if (overlap >= packet.Length)
            {
                packet.Release();
                return RunAt(index - 1);
            }

            packet.Drop(overlap);
            start += overlap;
        }

        // Entries that the new one covers go; one that begins inside it cuts its end.
        while (index < _entries.Count && _entries[index].End <= end)
        {
            RemoveAt(index);
        }

        if (index < _entries.Count && _entries[index].Start < end)
        {
            packet.Truncate(_entries[index].Start - start);
            end = _entries[index].Start;
        }

        if (packet.Length == 0 || _entries.Count >= MaxSegments)
        {
            packet.Release();
            return null;
        }

        _entries.Insert(index, new Entry(start, end, packet));
        TrueSize += packet.TrueSize;
        return RunAt(index);
    }

    /// <summary>Takes out the segment that continues at <paramref name="next"/>, cut to what is new; null if there is none.</summary>
    public Packet? TakeNext(SequenceNumber next)
    {
        while (_entries.Count > 0 && _entries[0].Start <= next)
        {
            Entry first = _entries[0];
            TrueSize -= first.Packet.TrueSize;
            _entries.RemoveAt(0);
            if (first.End > next)
            {
                first.Packet.Drop(next - first.Start);
                return first.Packet;
            }

            first.Packet.Release();
        }

        return null;
    }

    /// <summary>The run of contiguous data that holds a sequence number; null if it is gone.</summary>
    public SackBlock? FindRun(SequenceNumber sequence)
    {
        int index = LowerBound(sequence);
        if (index < _entries.Count && _entries[index].Start == sequence)
        {
            return RunAt(index);
        }

        return index > 0 && _entries[index - 1].End > sequence ? RunAt(index - 1) : null;
    }

    /// <summary>Releases everything: the connection is gone, or memory is short (a receiver may, RFC 2018 section 8).</summary>
    public void Clear()
    {
        foreach (Entry entry in _entries)
        {
            entry.Packet.Release();
        }

        _entries.Clear();
        TrueSize = 0;
    }

    private SackBlock RunAt(int index)
    {
        int first = index;
        while (first > 0 && _entries[first - 1].End == _entries[first].Start)
        {
            first--;
        }

        int last = index;
        while (last + 1 < _entries.Count && _entries[last].End == _entries[last + 1].Start)
        {
            last++;
        }

        return new SackBlock(_entries[first].Start, _entries[last].End);
    }

    // The first entry that begins at or behind a sequence number. Most segments belong at the end.
    private int LowerBound(SequenceNumber sequence)
    {
        int low = 0;
        int high = _entries.Count;
        if (high > 0 && _entries[high - 1].Start < sequence)
        {
            return high;
        }

        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_entries[middle].Start < sequence)
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

    private void RemoveAt(int index)
    {
        TrueSize -= _entries[index].Packet.TrueSize;
        _entries[index].Packet.Release();
        _entries.RemoveAt(index);
    }

    private readonly record struct Entry(SequenceNumber Start, SequenceNumber End, Packet Packet);
}
