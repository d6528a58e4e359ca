using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>A task's own signals: pending, blocked, the alternate stack. Guarded by <see cref="SentryKernel.TaskLock"/> except where it says otherwise.</summary>
public sealed class TaskSignals(GuestTask task)
{
    /// <summary>Signals for this task alone.</summary>
    public SignalQueue Queue { get; } = new();

    /// <summary>The blocked signals. Written by the task itself.</summary>
    public SignalSet Blocked { get; private set; }

    /// <summary>The mask to put back after the next signal (rt_sigsuspend(2), ppoll(2)), or null.</summary>
    public SignalSet? SavedMask { get; set; }

    /// <summary>The set a rt_sigtimedwait(2) in progress waits for: they wake the task though they are blocked.</summary>
    public SignalSet WaitedFor { get; set; }

    /// <summary>The alternate stack.</summary>
    public AlternateStack AlternateStack { get; set; } = AlternateStack.None;

    /// <summary>The address of the last page fault that became a signal: CR2 in a signal frame.</summary>
    public GuestAddress LastFault { get; set; }

    /// <summary>Whether the task has something to do before it goes on: a signal, a stop, an end. Any thread.</summary>
    public bool NeedsHandling =>
        task.ThreadGroup.IsExiting || (task.Tracee is { } tracee ? tracee.HasTrap : task.ThreadGroup.IsStopped) || (task.ThreadGroup.Executing is { } executing && executing != task)
        || !(Deliverable & ~Blocked).IsEmpty || !(Deliverable & WaitedFor).IsEmpty;

    private SignalSet Deliverable => Queue.Pending | task.ThreadGroup.SharedSignals.Pending;

    /// <summary>Everything pending, blocked or not.</summary>
    public SignalSet Pending => Deliverable;

    /// <summary>Sets the blocked signals (SIGKILL and SIGSTOP stay out) and sees to what that lets through.</summary>
    public void SetBlocked(SignalSet blocked) => Blocked = blocked - SignalSet.Unblockable;

    /// <summary>Takes the next deliverable signal.</summary>
    public bool TryTake(SignalSet wanted, out SignalInfo info)
    {
        if (!Queue.TryTake(wanted, out info) && !task.ThreadGroup.SharedSignals.TryTake(wanted, out info))
        {
            return false;
        }

        task.ThreadGroup.Timers.OnDelivered(ref info);
        return true;
    }
}
