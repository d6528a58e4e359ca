namespace Moat.Filesystems.Pipe;

/// <summary>What the capacities of all pipes may add up to (fs.pipe-user-pages-soft of pipe(7), here for every user): beyond it new pipes are small and none grows. Any thread.</summary>
public sealed class PipeBudget
{
    /// <summary>Bytes: four thousand pipes of the usual capacity.</summary>
    public const long LimitBytes = 256L << 20;

    private long _used;

    /// <summary>Takes bytes; false if that is too much.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _used, bytes) <= LimitBytes)
        {
            return true;
        }

        Return(bytes);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _used, -bytes);
}
