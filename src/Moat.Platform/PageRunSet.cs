namespace Moat.Platform;

/// <summary>Free pages as runs, ordered by place and joined with their neighbours.</summary>
internal sealed class PageRunSet
{
    private readonly SortedList<int, int> _runs = []; // start -> length

    /// <summary>Adds a run that overlaps none.</summary>
    public void Add(int start, int length)
    {
        int index = IndexAfter(start);
        if (index < _runs.Count && _runs.GetKeyAtIndex(index) == start + length)
        {
            length += _runs.GetValueAtIndex(index);
            _runs.RemoveAt(index);
        }

        if (index > 0 && _runs.GetKeyAtIndex(index - 1) + _runs.GetValueAtIndex(index - 1) == start)
        {
            _runs.SetValueAtIndex(index - 1, _runs.GetValueAtIndex(index - 1) + length);
            return;
        }

        _runs.Add(start, length);
    }

    /// <summary>Takes up to <paramref name="wanted"/> neighbouring pages: from the first run that has all of them (large requests start at a multiple of their size
    /// rounded down to a power of two, if the run allows), else the largest.</summary>
    public bool TryTake(int wanted, out int start, out int taken)
    {
        taken = wanted;
        if (TryTakeWhole(wanted, out start))
        {
            return true;
        }

        int largest = -1;
        for (int i = 0; i < _runs.Count; i++)
        {
            if (largest < 0 || _runs.GetValueAtIndex(i) > _runs.GetValueAtIndex(largest))
            {
                largest = i;
            }
        }

        if (largest < 0)
        {
            taken = 0;
            return false;
        }

        taken = _runs.GetValueAtIndex(largest);
        start = Take(largest, taken);
        return true;
    }

    /// <summary>Takes <paramref name="wanted"/> neighbouring pages as <see cref="TryTake"/> does, or none.</summary>
    public bool TryTakeWhole(int wanted, out int start)
    {
        for (int i = 0; i < _runs.Count; i++)
        {
            if (_runs.GetValueAtIndex(i) >= wanted)
            {
                start = Take(i, wanted);
                return true;
            }
        }

        start = 0;
        return false;
    }

    private int Take(int index, int wanted)
    {
        int runStart = _runs.GetKeyAtIndex(index);
        int runLength = _runs.GetValueAtIndex(index);
        int alignment = 1 << (31 - int.LeadingZeroCount(wanted));
        int aligned = (runStart + alignment - 1) & -alignment;
        int start = aligned - runStart + wanted <= runLength ? aligned : runStart;
        _runs.RemoveAt(index);
        if (start > runStart)
        {
            _runs.Add(runStart, start - runStart);
        }

        if (start + wanted < runStart + runLength)
        {
            _runs.Add(start + wanted, runStart + runLength - start - wanted);
        }

        return start;
    }

    private int IndexAfter(int start)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_runs.GetKeyAtIndex(middle) < start)
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
