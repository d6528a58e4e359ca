namespace Moat.Netstack.Timers;

/// <summary>One timer of a connection, a neighbour or a reassembly: set, moved and cleared without allocation.</summary>
public abstract class NetTimer
{
    internal const int NotQueued = -1;

    internal int HeapIndex = NotQueued; // guarded by the queue's lock
    internal long HeapDeadlineNs; // guarded by the queue's lock: where it stands in the heap, never later than DeadlineNs
    internal long DeadlineNs = long.MaxValue; // guarded by the queue's lock

    /// <summary>The time has come. Runs on the thread that runs timers, with no lock held; the timer may have been set again or cleared by another thread meanwhile, so look at the state it is about.</summary>
    /// <param name="nowNs">The time.</param>
    protected internal abstract void OnExpired(long nowNs);
}
