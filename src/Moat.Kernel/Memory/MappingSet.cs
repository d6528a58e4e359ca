namespace Moat.Kernel.Memory;

/// <summary>The mappings of an address space, ordered by address, never overlapping. Guarded by the owner's lock.</summary>
internal sealed class MappingSet
{
    private readonly List<MemoryMapping> _list = [];
    private ulong _top; // of the last search for a hole
    private ulong _searchedDownTo; // what it found begins here: the holes from here up to the top
    private ulong _largestSkipped; // are not larger than this

    /// <summary>How many there are.</summary>
    public int Count => _list.Count;

    /// <summary>In order.</summary>
    public MemoryMapping this[int index] => _list[index];

    /// <summary>The mapping that holds <paramref name="address"/>.</summary>
    public MemoryMapping? Find(ulong address)
    {
        int index = FirstEndingAfter(address);
        return index < _list.Count && _list[index].Start <= address ? _list[index] : null;
    }

    /// <summary>The index of the first mapping that ends after <paramref name="address"/>: it holds it or lies above.</summary>
    public int FirstEndingAfter(ulong address)
    {
        int low = 0;
        int high = _list.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_list[middle].End <= address)
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

    /// <summary>Adds a mapping into a hole.</summary>
    public void Add(MemoryMapping mapping) => _list.Insert(FirstEndingAfter(mapping.Start), mapping);

    /// <summary>Takes a mapping out.</summary>
    public void RemoveAt(int index)
    {
        _list.RemoveAt(index);
        ulong holeEnd = index < _list.Count ? Math.Min(_list[index].Start, _top) : _top;
        _searchedDownTo = Math.Max(_searchedDownTo, holeEnd);
    }

    /// <summary>Whether nothing is mapped in the range.</summary>
    public bool IsFree(ulong start, ulong end)
    {
        int index = FirstEndingAfter(start);
        return index == _list.Count || _list[index].Start >= end;
    }

    /// <summary>The highest hole of <paramref name="length"/> bytes that ends at or below <paramref name="top"/> and starts at or above <paramref name="bottom"/>; 0 if there is none.</summary>
    public ulong FindHoleBelow(ulong top, ulong bottom, ulong length)
    {
        if (top != _top || length <= _largestSkipped)
        {
            (_top, _searchedDownTo, _largestSkipped) = (top, top, 0);
        }

        ulong end = _searchedDownTo;
        for (int i = FirstEndingAfter(end) is var at && at < _list.Count && _list[at].Start < end ? at : at - 1; i >= -1; i--)
        {
            _searchedDownTo = end;
            ulong floor = i >= 0 ? Math.Max(_list[i].End, bottom) : bottom;
            ulong size = end > floor ? end - floor : 0;
            if (size >= length)
            {
                return end - length;
            }

            _largestSkipped = Math.Max(_largestSkipped, size);
            if (i < 0 || _list[i].Start <= bottom)
            {
                break;
            }

            end = Math.Min(end, _list[i].Start);
        }

        return 0;
    }

    /// <summary>Cuts the mapping at <paramref name="address"/> in two, if one spans it; returns the upper part.</summary>
    public MemoryMapping? Split(ulong address)
    {
        int index = FirstEndingAfter(address);
        if (index == _list.Count || _list[index].Start >= address)
        {
            return null;
        }

        MemoryMapping lower = _list[index];
        MemoryMapping upper = lower.CopyFor(address, lower.End);
        lower.End = address;
        _list.Insert(index + 1, upper);
        return upper;
    }
}
