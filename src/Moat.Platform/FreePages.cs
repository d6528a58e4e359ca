namespace Moat.Platform;

/// <summary>The free pages of a memory file: fresh ones, of which the host has no memory, and a bounded number of used ones that can be had without asking the host but are not zero. The caller locks.</summary>
internal sealed class FreePages
{
    private const int MaxUsed = 4096; // 16 MiB
    private const int ShortRuns = 16; // runs of up to so many pages are kept as they come: the next user wants as many

    private readonly PageRunSet _fresh = new();
    private readonly PageRunSet _usedLong = new();
    private readonly Stack<int>[] _usedShort = new Stack<int>[ShortRuns + 1]; // by length
    private int _used; // pages in both
    private int _refused; // pages since short runs were joined

    /// <summary>Without any pages.</summary>
    public FreePages()
    {
        for (int i = 1; i <= ShortRuns; i++)
        {
            _usedShort[i] = new Stack<int>();
        }
    }

    /// <summary>Pages that read as zeros, and of which the host has no memory.</summary>
    public void AddFresh(int page, int pages) => _fresh.Add(page, pages);

    /// <summary>Keeps pages with what is in them; false if there are enough of that kind.</summary>
    public bool TryAddUsed(int page, int pages)
    {
        if (_used + pages > MaxUsed)
        {
            _refused += pages;
            if (_refused > MaxUsed / 2)
            {
                _refused = 0;
                JoinShortRuns(); // full of what is too short for anybody
            }

            return false;
        }

        _used += pages;
        PutUsed(page, pages);
        return true;
    }

    /// <summary>Takes neighbouring pages: as many as wanted if there are so many together, used ones first.</summary>
    /// <param name="isUsed">Whether they are not zero.</param>
    public bool TryTake(int wanted, out int page, out int taken, out bool isUsed)
    {
        taken = wanted;
        isUsed = TryTakeShort(wanted, out page) || _usedLong.TryTakeWhole(wanted, out page);
        if (!isUsed)
        {
            if (_fresh.TryTake(wanted, out page, out taken))
            {
                return true;
            }

            isUsed = _usedLong.TryTake(wanted, out page, out taken) || TryTakeLongestShort(out page, out taken);
        }

        _used -= isUsed ? taken : 0;
        return isUsed;
    }

    private void PutUsed(int page, int pages)
    {
        if (pages > ShortRuns)
        {
            _usedLong.Add(page, pages);
        }
        else
        {
            _usedShort[pages].Push(page);
        }
    }

    private void JoinShortRuns()
    {
        List<(int Page, int Pages)> runs = [];
        for (int length = 1; length <= ShortRuns; length++)
        {
            while (_usedShort[length].TryPop(out int page))
            {
                runs.Add((page, length));
            }
        }

        runs.Sort();
        for (int i = 0; i < runs.Count;)
        {
            (int page, int pages) = runs[i++];
            while (i < runs.Count && runs[i].Page == page + pages)
            {
                pages += runs[i++].Pages;
            }

            PutUsed(page, pages);
        }
    }

    // From the shortest run that is long enough; what is left of it stays.
    private bool TryTakeShort(int wanted, out int page)
    {
        for (int length = wanted; length <= ShortRuns; length++)
        {
            if (_usedShort[length].TryPop(out page))
            {
                if (length > wanted)
                {
                    _usedShort[length - wanted].Push(page + wanted);
                }

                return true;
            }
        }

        page = 0;
        return false;
    }

    private bool TryTakeLongestShort(out int page, out int taken)
    {
        for (taken = ShortRuns; taken > 0; taken--)
        {
            if (_usedShort[taken].TryPop(out page))
            {
                return true;
            }
        }

        page = 0;
        return false;
    }
}
