using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Which pages a file in memory has. Guarded by the lock of <see cref="MemoryPages"/>.</summary>
/// <param name="memoryFile">Where they come from.</param>
/// <param name="budget">What they count against, if they do.</param>
internal sealed class FilePages(MemoryFile memoryFile, PageBudget? budget)
{
    private const int PageSize = MemoryFile.PageSize;

    private readonly PageTable _pages = new();

    /// <summary>How many there are.</summary>
    public long Count => _pages.Count;

    /// <summary>The page of the memory file at an index, or -1.</summary>
    public int this[ulong index] => _pages[index];

    /// <inheritdoc cref="PageTable.FirstPresent"/>
    public ulong FirstPresent(ulong from) => _pages.FirstPresent(from);

    /// <inheritdoc cref="PageTable.FirstAbsent"/>
    public ulong FirstAbsent(ulong from) => _pages.FirstAbsent(from);

    /// <inheritdoc cref="PageTable.ForEach"/>
    public void ForEach(ulong first, ulong end, Action<ulong, int> found) => _pages.ForEach(first, end, found);

    /// <summary>How many pages of the file from a present one on are neighbours in memory.</summary>
    public int RunOf(ulong index, int page, int max)
    {
        int pages = 1;
        while (pages < max && _pages[index + (ulong)pages] == page + pages)
        {
            pages++;
        }

        return pages;
    }

    /// <summary>The page at an index, made if it is not there: ENOSPC.</summary>
    public Result<int> ForWrite(ulong index) => ForWrite(index, 1, out _, out _);

    /// <summary>Neighbouring pages from an index on: those that are there, or new ones in a gap.</summary>
    public Result<int> ForWrite(ulong index, int wanted, out int pages, out bool isNew)
    {
        int page = _pages[index];
        isNew = page < 0;
        if (!isNew)
        {
            pages = RunOf(index, page, wanted);
            return page;
        }

        pages = 1;
        while (pages < wanted && _pages[index + (ulong)pages] < 0)
        {
            pages++;
        }

        pages = budget?.TakeUpTo(pages) ?? pages;
        if (pages == 0)
        {
            return Errno.ENOSPC;
        }

        if (!memoryFile.Allocate(pages, out int got).TryGet(out page, out _))
        {
            budget?.Return(pages);
            return Errno.ENOSPC;
        }

        budget?.Return(pages - got);
        pages = got;
        for (int i = 0; i < pages; i++)
        {
            _pages.Set(index + (ulong)i, page + i);
        }

        return page;
    }

    /// <summary>Takes out pages that were made and are behind the end, since no bytes came for them.</summary>
    public void DropUnwritten(long from, long to, long size)
    {
        ulong first = (ulong)(Math.Max(from, size) + PageSize - 1) / PageSize;
        ulong end = (ulong)(to + PageSize - 1) / PageSize;
        if (end > first)
        {
            Remove(first, end);
        }
    }

    /// <summary>Clears a part of one page, if it is there.</summary>
    public void ClearPart(long from, long to)
    {
        int page = to > from ? _pages[(ulong)from / PageSize] : -1;
        if (page >= 0)
        {
            memoryFile.Bytes(page, (int)(from % PageSize), (int)(to - from)).Clear();
        }
    }

    /// <summary>Takes pages out and gives them back.</summary>
    public void Remove(ulong first, ulong end) => _pages.Remove(first, end, (_, page) =>
    {
        memoryFile.Release(page);
        budget?.Return();
    });
}
