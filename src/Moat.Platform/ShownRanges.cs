namespace Moat.Platform;

/// <summary>Which addresses of a stub have something mapped, as disjoint ranges in order: mprotect(2) refuses a range with holes.</summary>
public sealed class ShownRanges
{
    private readonly List<(ulong Start, ulong End)> _ranges = [];

    /// <summary>Adds a range.</summary>
    public void Add(ulong start, ulong end)
    {
        int first = FirstEndingAtOrAfter(start);
        int last = first;
        while (last < _ranges.Count && _ranges[last].Start <= end)
        {
            start = Math.Min(start, _ranges[last].Start);
            end = Math.Max(end, _ranges[last].End);
            last++;
        }

        _ranges.RemoveRange(first, last - first);
        _ranges.Insert(first, (start, end));
    }

    /// <summary>Removes a range; returns whether anything of it was there.</summary>
    public bool Remove(ulong start, ulong end)
    {
        int index = FirstEndingAtOrAfter(start + 1);
        bool any = false;
        while (index < _ranges.Count && _ranges[index].Start < end)
        {
            (ulong from, ulong to) = _ranges[index];
            any = true;
            _ranges.RemoveAt(index);
            if (from < start)
            {
                _ranges.Insert(index++, (from, start));
            }

            if (to > end)
            {
                _ranges.Insert(index++, (end, to));
            }
        }

        return any;
    }

    /// <summary>Whether all of a range is there.</summary>
    public bool Contains(ulong start, ulong end) => FirstEndingAtOrAfter(start + 1) is var index && index < _ranges.Count && _ranges[index].Start <= start && _ranges[index].End >= end;

    /// <summary>Finds the first part of a range that is there.</summary>
    public bool TryFind(ulong start, ulong end, out (ulong Start, ulong End) part)
    {
        int index = FirstEndingAtOrAfter(start + 1);
        bool isThere = start < end && index < _ranges.Count && _ranges[index].Start < end;
        part = isThere ? (Math.Max(start, _ranges[index].Start), Math.Min(end, _ranges[index].End)) : default;
        return isThere;
    }

    private int FirstEndingAtOrAfter(ulong address)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].End < address)
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
}
