namespace Moat.Platform;

/// <summary>The free pages of a memory file: fresh ones, of which the host has no memory, and a bounded number of used ones that can be had without asking the host but are not zero. The caller locks.</summary>
internal sealed class FreePages
{
    private const int MaxUsed = 8192; // 32 MiB
    private const int ShortRun = 8; // shorter ones are kept page by page

    private readonly PageRunSet _fresh = new();
    private readonly PageRunSet _usedRuns = new();
    private readonly Stack<int> _usedPages = new();
    private int _used; // pages in both

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
        if (pages >= ShortRun)
        {
            _usedRuns.Add(page, pages);
            return true;
        }

        for (int i = 0; i < pages; i++)
        {
            _usedPages.Push(page + i);
        }

        return true;
    }

    /// <summary>Takes neighbouring pages: as many as wanted if there are so many together, used ones first.</summary>
    /// <param name="isUsed">Whether they are not zero.</param>
    public bool TryTake(int wanted, out int page, out int taken, out bool isUsed)
    {
        isUsed = true;
        taken = 1;
        if ((wanted == 1 && _usedPages.TryPop(out page)) || _usedRuns.TryTakeWhole(wanted, out page))
        {
            taken = wanted;
        }
        else if (_fresh.TryTake(wanted, out page, out taken))
        {
            isUsed = false;
            return true;
        }
        else if (!_usedRuns.TryTake(wanted, out page, out taken))
        {
            taken = 1;
            if (!_usedPages.TryPop(out page))
            {
                return false;
            }
        }

        _used -= taken;
        return true;
    }
}
