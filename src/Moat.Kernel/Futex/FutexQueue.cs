namespace Moat.Kernel.Futex;

/// <summary>Those who wait for one futex word, in order. Guarded by the <see cref="FutexTable"/>'s lock.</summary>
internal sealed class FutexQueue
{
    /// <summary>The word.</summary>
    public FutexKey Key { get; set; }

    /// <summary>Who has waited longest.</summary>
    public FutexWaiter? First { get; private set; }

    private FutexWaiter? Last { get; set; }

    /// <summary>Adds one at the end.</summary>
    public void Add(FutexWaiter waiter)
    {
        waiter.Queue = this;
        waiter.Previous = Last;
        waiter.Next = null;
        if (Last is { } last)
        {
            last.Next = waiter;
        }
        else
        {
            First = waiter;
        }

        Last = waiter;
    }

    /// <summary>Takes one out, which is in this queue.</summary>
    public void Remove(FutexWaiter waiter)
    {
        if (waiter.Previous is { } previous)
        {
            previous.Next = waiter.Next;
        }
        else
        {
            First = waiter.Next;
        }

        if (waiter.Next is { } next)
        {
            next.Previous = waiter.Previous;
        }
        else
        {
            Last = waiter.Previous;
        }

        waiter.Queue = null;
        waiter.Next = null;
        waiter.Previous = null;
    }
}
