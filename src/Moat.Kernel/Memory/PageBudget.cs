namespace Moat.Kernel.Memory;

/// <summary>How many pages the files of one filesystem may have together (tmpfs(5), size=). Any thread.</summary>
/// <param name="limit">Pages.</param>
public sealed class PageBudget(long limit)
{
    private long _used;

    /// <summary>Pages in use.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>Pages that are left.</summary>
    public long Available => Math.Max(0, Limit - Used);

    /// <summary>Pages in all; changed by a remount.</summary>
    public long Limit { get; set; } = limit;

    /// <summary>Takes as many pages as are left, up to a number; 0 at the limit.</summary>
    public int TakeUpTo(int pages)
    {
        long over = Interlocked.Add(ref _used, pages) - Limit;
        if (over <= 0)
        {
            return pages;
        }

        int refused = (int)Math.Min(over, pages);
        Return(refused);
        return pages - refused;
    }

    /// <summary>Gives pages back.</summary>
    public void Return(int pages = 1) => Interlocked.Add(ref _used, -pages);
}
