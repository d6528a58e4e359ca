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

    /// <summary>Takes one page; false at the limit.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref _used) <= Limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _used);
        return false;
    }

    /// <summary>Gives one page back.</summary>
    public void Return() => Interlocked.Decrement(ref _used);
}
