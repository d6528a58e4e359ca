using Moat.Collections;

namespace Moat.Kernel.Futex;

/// <summary>Those who wait for one futex word, in order. Guarded by the <see cref="FutexTable"/>'s lock.</summary>
internal sealed class FutexQueue
{
    private IntrusiveList<FutexWaiter, Links> _waiters;

    /// <summary>The word.</summary>
    public FutexKey Key { get; set; }

    /// <summary>Who has waited longest.</summary>
    public FutexWaiter? First => _waiters.First;

    /// <summary>Who has waited next longest, or null.</summary>
    public static FutexWaiter? After(FutexWaiter waiter) => IntrusiveList<FutexWaiter, Links>.After(waiter);

    /// <summary>Adds one at the end.</summary>
    public void Add(FutexWaiter waiter)
    {
        waiter.Queue = this;
        _waiters.Add(waiter);
    }

    /// <summary>Takes one out, which is in this queue.</summary>
    public void Remove(FutexWaiter waiter)
    {
        _waiters.Remove(waiter);
        waiter.Queue = null;
    }

    private readonly struct Links : IListLinks<FutexWaiter>
    {
        public static ref ListLinks<FutexWaiter> Of(FutexWaiter item) => ref item.Links;
    }
}
