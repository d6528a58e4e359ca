namespace Moat.Kernel.Ipc;

/// <summary>Bounds what System V objects may take of the kernel's own memory. Guarded by the lock of the table that uses it.</summary>
/// <param name="limit">How much there may be, in whatever is counted.</param>
public sealed class IpcBudget(long limit)
{
    private long _used;

    /// <summary>Takes some; false if that is too much.</summary>
    public bool TryTake(long count)
    {
        if (count > limit - _used)
        {
            return false;
        }

        _used += count;
        return true;
    }

    /// <summary>Gives back.</summary>
    public void Return(long count) => _used -= count;
}
