using Moat.Collections;
using Moat.Kernel.Tasks;

namespace Moat.Kernel.Futex;

/// <summary>A task's place in the queue of a futex word. A task waits for one word at a time and keeps its place for life, so that waiting allocates nothing. Guarded by the <see cref="FutexTable"/>'s lock.</summary>
internal sealed class FutexWaiter(GuestTask task)
{
    private ListLinks<FutexWaiter> _links;

    public GuestTask Task { get; } = task;

    /// <summary>The queue it is in; null once it has been woken or has given up.</summary>
    public FutexQueue? Queue { get; set; }

    public uint Bitset { get; set; }

    /// <summary>Its neighbours in the queue.</summary>
    public ref ListLinks<FutexWaiter> Links => ref _links;
}
