using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>A place in a wait queue that wakes a task.</summary>
public sealed class TaskWaitEntry(GuestTask task) : WaitEntry
{
    /// <inheritdoc/>
    protected internal override void OnEvents(PollEvents events) => task.Unblock();
}
