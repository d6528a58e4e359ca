using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>Sends signals to tasks and processes. Every method wants <see cref="SentryKernel.TaskLock"/> held.</summary>
public static class SignalSender
{
    /// <summary>Sends to a process as a whole.</summary>
    /// <returns>EAGAIN when a real-time signal finds the queue full.</returns>
    public static Errno SendToProcess(ThreadGroup group, in SignalInfo info) => Send(group, null, info);

    /// <summary>Sends what another process wants to a process as a whole, or to one task.</summary>
    /// <param name="sender">Who. To the first process of a namespace below its own it is as the kernel: SIGKILL and SIGSTOP are taken (pid_namespaces(7)).</param>
    /// <param name="group">The process.</param>
    /// <param name="only">The task; null for the process.</param>
    /// <param name="info">What; its sender's number goes where the sender cannot be seen.</param>
    public static Errno Send(GuestTask sender, ThreadGroup group, GuestTask? only, in SignalInfo info)
    {
        bool isFromAbove = group.Pids != sender.Pids && group.Pids.IsBelow(sender.Pids);
        return Send(group, only, isFromAbove ? info.WithoutSender() : info, isForced: isFromAbove);
    }

    /// <summary>Sends to one task.</summary>
    public static Errno SendToTask(GuestTask task, in SignalInfo info) => Send(task.ThreadGroup, task, info);

    /// <summary>Sends a timer's signal, which is queued even beside another of its number; the caller has none pending.</summary>
    internal static void SendFromTimer(ThreadGroup group, GuestTask? only, in SignalInfo info) => Send(group, only, info, isTimer: true);

    /// <summary>Sends to all processes of a group.</summary>
    public static void SendToGroup(ProcessGroup group, in SignalInfo info)
    {
        foreach (ThreadGroup member in group.Members.ToArray())
        {
            SendToProcess(member, info);
        }
    }

    /// <summary>Sends what the task itself caused (a fault): neither blocked nor ignored, or it dies of it.</summary>
    public static void Force(GuestTask task, in SignalInfo info)
    {
        SignalActions actions = task.ThreadGroup.Actions;
        SignalAction action = actions[info.Signal];
        if (action.IsIgnore || task.Signals.Blocked.Contains(info.Signal))
        {
            actions[info.Signal] = default;
            task.Signals.SetBlocked(task.Signals.Blocked - SignalSet.Of(info.Signal));
        }

        task.Signals.Queue.Add(info);
    }

    /// <summary>Whether a process has no action for a signal and none is taken: the first process of a pid namespace is not killed by what it has no handler for (pid_namespaces(7));
    /// SIGKILL from outside comes by another way.</summary>
    /// <param name="group">The process.</param>
    /// <param name="signal">The signal.</param>
    /// <param name="isForced">Whether it comes from above the namespace: what no process can handle is taken then.</param>
    internal static bool IsSpared(ThreadGroup group, Signal signal, bool isForced = false) =>
        group.Pids.Init == group && group.Actions[signal].IsDefault && !group.Pids.IsKillingInit && !(isForced && (signal is Signal.SIGKILL or Signal.SIGSTOP)) && signal is not (Signal.SIGSEGV or Signal.SIGBUS or Signal.SIGILL or Signal.SIGFPE or Signal.SIGTRAP);

    /// <summary>Makes a task look at its signals.</summary>
    public static void Wake(GuestTask task)
    {
        task.Unblock();
        task.Context.Interrupt();
    }

    private static Errno Send(ThreadGroup group, GuestTask? only, in SignalInfo info, bool isTimer = false, bool isForced = false)
    {
        Signal signal = info.Signal;
        if (group.IsZombie || group.IsExiting)
        {
            return Errno.None;
        }

        if (signal == Signal.SIGCONT)
        {
            Continue(group);
        }
        else if (DefaultActions.Stopping.Contains(signal))
        {
            DiscardEverywhere(group, SignalSet.Of(Signal.SIGCONT));
        }

        if (IsIgnored(group, only, signal, isForced))
        {
            return Errno.None;
        }

        SignalQueue queue = only?.Signals.Queue ?? group.SharedSignals;
        if (signal >= Signal.SIGRTMIN && (ulong)queue.Count >= group.Limits.Get(ResourceLimits.PendingSignals).Current && info.Code is SignalInfo.SiQueue)
        {
            return Errno.EAGAIN;
        }

        if (isTimer)
        {
            queue.AddFromTimer(info);
        }
        else
        {
            queue.Add(info);
        }

        group.SignalWaiters.Notify(PollEvents.Readable);
        if (signal == Signal.SIGKILL)
        {
            group.IsExiting = true;
            group.IsStopped = false;
            group.ExitStatus = (int)Signal.SIGKILL;
            foreach (GuestTask task in group.Tasks)
            {
                Wake(task);
            }

            return Errno.None;
        }

        if ((only ?? Choose(group, signal)) is { } receiver)
        {
            Wake(receiver);
        }

        return Errno.None;
    }

    // A task that does not block it; the leader before others.
    private static GuestTask? Choose(ThreadGroup group, Signal signal)
    {
        bool Wants(GuestTask task) => !task.HasEnded && task.Tracee is not { IsStopped: true } && (!task.Signals.Blocked.Contains(signal) || task.Signals.WaitedFor.Contains(signal));
        if (Wants(group.Leader))
        {
            return group.Leader;
        }

        foreach (GuestTask task in group.Tasks)
        {
            if (Wants(task))
            {
                return task;
            }
        }

        return null;
    }

    private static bool IsIgnored(ThreadGroup group, GuestTask? only, Signal signal, bool isForced)
    {
        if ((only ?? group.Leader).Signals.Blocked.Contains(signal))
        {
            return false; // it may be waited for, or get a handler before it is unblocked
        }

        if (signal != Signal.SIGKILL && (only ?? group.Leader).Tracee is not null)
        {
            return false; // the tracer may want to see it
        }

        SignalAction action = group.Actions[signal];
        bool ignored = action.IsIgnore || (action.IsDefault && DefaultActions.Of(signal) is DefaultAction.Ignore);
        bool waited = false;
        foreach (GuestTask task in group.Tasks)
        {
            waited |= task.Signals.WaitedFor.Contains(signal);
        }

        return (ignored || IsSpared(group, signal, isForced)) && !waited;
    }

    private static void Continue(ThreadGroup group)
    {
        DiscardEverywhere(group, DefaultActions.Stopping);
        foreach (GuestTask task in group.Tasks)
        {
            task.Tracee?.LeaveGroupStop();
        }

        if (!group.IsStopped)
        {
            return;
        }

        group.IsStopped = false;
        group.StopUnreported = false;
        group.ContinueUnreported = true;
        ProcessExit.NotifyParent(group, ProcessExit.ChildContinued, (int)Signal.SIGCONT);
        foreach (GuestTask task in group.Tasks)
        {
            Wake(task);
        }
    }

    private static void DiscardEverywhere(ThreadGroup group, SignalSet signals)
    {
        group.SharedSignals.Discard(signals);
        foreach (GuestTask task in group.Tasks)
        {
            task.Signals.Queue.Discard(signals);
        }
    }
}
