namespace Moat.Platform;

/// <summary>The free pages of a memory file: fresh ones, of which the host has no memory, and a bounded number of used ones that can be had without asking the host but are not zero. The caller locks.</summary>
internal sealed class FreePages
{
    private const int MaxUsed = 8192; // 32 MiB
    private const int ShortRuns = 16; // runs of up to so many pages are kept as they come: the next user wants as many

    private readonly PageRunSet _fresh = new();
    private readonly PageRunSet _usedLong = new();
    private readonly Stack<int>[] _usedShort = new Stack<int>[ShortRuns + 1]; // by length
    private int _used; // pages in both

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
            return false;
        }

        _used += pages;
        if (pages > ShortRuns)
        {
            _usedLong.Add(page, pages);
        }
        else
        {
            _usedShort[pages].Push(page);
        }

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
