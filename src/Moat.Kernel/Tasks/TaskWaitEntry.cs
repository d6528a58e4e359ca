using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>A place in a wait queue that wakes a task.</summary>
public sealed class TaskWaitEntry(GuestTask task) : WaitEntry
{
    /// <inheritdoc/>
    protected internal override void OnEvents(PollEvents events, ref PendingWakes wakes) => task.Unblock(ref wakes);
}
