using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>How tasks and processes end. Methods want <see cref="SentryKernel.TaskLock"/> held unless they say otherwise.</summary>
public static class ProcessExit
{
    public const int ChildExited = 1;
    public const int ChildKilled = 2;
    public const int ChildDumped = 3;
    public const int ChildTrapped = 4;
    public const int ChildStopped = 5;
    public const int ChildContinued = 6;

    private const int NanosecondsPerTick = 10_000_000;

    /// <summary>exit_group(2), or death by a signal: all tasks of the process are to end.</summary>
    /// <param name="group">The process.</param>
    /// <param name="status">The wait status.</param>
    public static void EndGroup(ThreadGroup group, int status)
    {
        if (group.IsExiting)
        {
            return;
        }

        group.IsExiting = true;
        group.IsStopped = false;
        group.ExitStatus = status;
        foreach (GuestTask task in group.Tasks)
        {
            SignalSender.Wake(task);
        }
    }

    /// <summary>The calling task ends: it gives back what it holds. Without the lock.</summary>
    /// <param name="task">The calling task.</param>
    /// <param name="status">The wait status, if it is the last of its process and nothing else decided.</param>
    public static void EndTask(GuestTask task, int status)
    {
        task.Context.Dispose(); // before anybody is told: whoever waits for this end often starts another
        task.Kernel.Futexes.ReleaseRobustList(task);
        if (!task.ClearTidAddress.IsNull && task.Memory.Write(task.ClearTidAddress, 0) == Errno.None)
        {
            task.Kernel.Futexes.Wake(task.Memory, task.ClearTidAddress, 1);
        }

        task.Usage.NotePeak(task.Memory.PeakResidentBytes);
        task.Memory.RemoveUser();
        task.VforkGate?.Open();
        task.Files.RemoveUser(task);
        task.Fs.RemoveUser();
        task.EnterNetwork(null);
        if (Leave(task, status))
        {
            EndNamespace(task.ThreadGroup);
            lock (task.Kernel.TaskLock)
            {
                EndProcess(task.ThreadGroup);
            }
        }

        task.Ipc.RemoveUser();
    }

    // Takes the task out of its process. Whether it was the last.
    private static bool Leave(GuestTask task, int status)
    {
        ThreadGroup group = task.ThreadGroup;
        lock (task.Kernel.TaskLock)
        {
            task.HasEnded = true;
            group.Tasks.Remove(task);
            group.Container.RemoveTask();
            task.CpuClock.Stop();
            group.EndedCpuTimes += task.CpuClock.Now;
            group.EndedUsage.Add(task.Usage);
            TraceLinks.OnTracerEnd(task);
            task.Tracee?.Tracer.Unblock(); // see TraceLinks.Attach
            if (group.Leader != task && task.Tracee is { } tracee)
            {
                NotifyTracerOfEnd(tracee, StatusOf(task));
            }
            else if (group.Leader != task)
            {
                PidNamespace.Free(task.Id, keepReserved: false);
            }

            group.Executing?.Unblock();
            if (group.Tasks.Count > 0)
            {
                return false;
            }

            if (!group.IsExiting)
            {
                group.ExitStatus = status;
            }

            group.IsExiting |= group.Pids.IsNested && group.Pids.Init == group; // it waits for others: no signal reaches it any more
            return true;
        }
    }

    // A nested pid namespace's first process kills whoever else is there, and ends when they are gone (pid_namespaces(7)). Those of containers are not waited for: an engine's kill must not hang
    // on a host that does not answer. Without the lock.
    private static void EndNamespace(ThreadGroup group)
    {
        PidNamespace pids = group.Pids;
        if (pids.Init != group || !pids.IsNested)
        {
            return;
        }

        lock (group.Kernel.TaskLock)
        {
            pids.OnInitExit();
            foreach (ThreadGroup child in group.Children.FindAll(static child => child.IsZombie && child.Leader.Tracee is null))
            {
                Reap(child);
            }
        }

        pids.AwaitOthers(group);
    }

    /// <summary>The wait status of a task that ends, or has.</summary>
    public static int StatusOf(GuestTask task) => task.ThreadGroup.IsExiting ? task.ThreadGroup.ExitStatus : task.ExitStatus;

    /// <summary>Tells the parent of an end, a stop or a continuation: SIGCHLD and whoever waits.</summary>
    public static void NotifyParent(ThreadGroup group, int code, int status)
    {
        if (group.Parent is { } parent)
        {
            Notify(parent, group.Leader, code is ChildExited or ChildKilled or ChildDumped ? group.ExitSignal : Signal.SIGCHLD, code, status);
        }
    }

    /// <summary>Tells a tracer of a stop in the same way.</summary>
    internal static void NotifyTracer(Tracee tracee, int code, int status) => Notify(tracee.Tracer.ThreadGroup, tracee.Task, Signal.SIGCHLD, code, status);

    /// <summary>Tells who is to hear of the end of a process: its tracer first, otherwise its parent. One whose parent wants to hear nothing is reaped.</summary>
    internal static void NotifyEnd(ThreadGroup group)
    {
        if (group.Leader.Tracee is { } tracee)
        {
            if (tracee.IsForeign)
            {
                NotifyTracerOfEnd(tracee, group.ExitStatus);
                return;
            }

            (int traced, int its) = Explain(group.ExitStatus);
            NotifyParent(group, traced, its); // parent and tracer in one, who waits for it in any case
            return;
        }

        bool unwanted = group.Parent is null || (group.Parent.Pids.Init == group.Parent && group.Parent.Pids.IsEnding)
            || (group.ExitSignal == Signal.SIGCHLD && (group.Parent.Actions[Signal.SIGCHLD].IsIgnore || (group.Parent.Actions[Signal.SIGCHLD].Flags & SignalAction.NoChildWait) != 0));
        (int code, int status) = Explain(group.ExitStatus);
        NotifyParent(group, code, status);
        if (unwanted)
        {
            Reap(group);
            group.Parent?.ChildEvents.Notify(PollEvents.POLLIN);
        }
    }

    /// <summary>The parent has waited for it, or nobody will: the last trace goes.</summary>
    public static void Reap(ThreadGroup group)
    {
        if (group.Parent is { } parent)
        {
            parent.Children.Remove(group);
            parent.ChildrenCpuTimes += group.EndedCpuTimes + group.ChildrenCpuTimes;
            parent.ChildrenUsage.Add(group.EndedUsage);
            parent.ChildrenUsage.Add(group.ChildrenUsage);
        }

        group.IsReaped = true;
        group.ExitWaiters.Notify(PollEvents.Readable | PollEvents.POLLHUP);
        LeaveGroup(group);
        PidNamespace.Free(group.Id, group.Kernel.HasGroupOrSession(group.Id));
    }

    /// <summary>Takes a process out of its process group, and the group out of its session when it was the last.</summary>
    public static void LeaveGroup(ThreadGroup group)
    {
        ProcessGroup old = group.ProcessGroup;
        old.Members.Remove(group);
        if (old.Members.Count > 0)
        {
            return;
        }

        old.Session.Groups.Remove(old);
        PidNamespace.Unreserve(old.Id);
    }

    private static void EndProcess(ThreadGroup group)
    {
        List<ProcessGroup> held = HeldGroups(group);
        group.IsZombie = true;
        group.ExitWaiters.Notify(PollEvents.Readable);
        group.Timers.Stop();
        group.Leader.Ipc.OnProcessExit(group);
        ThreadGroup? newParent = FindReaper(group);
        foreach (ThreadGroup child in group.Children.ToArray())
        {
            foreach (GuestTask task in child.Tasks)
            {
                if (task.ParentDeathSignal != Signal.None)
                {
                    SignalSender.SendToTask(task, SignalInfo.FromSender(task.ParentDeathSignal, SignalInfo.SiUser, group.Id.In(child.Pids), group.Leader.Credentials.RealUid));
                }
            }

            child.Parent = newParent;
            group.Children.Remove(child);
            if (newParent is null)
            {
                continue;
            }

            newParent.Children.Add(child);
            child.ExitSignal = Signal.SIGCHLD;
            if (child.IsZombie)
            {
                NotifyEnd(child);
            }
        }

        held.ForEach(HangUpIfOrphaned);

        if (group.ProcessGroup.Session.Id == group.Id)
        {
            JobControl.OnLeaderExit(group);
        }

        if (group.Pids.Init == group && !group.Pids.IsNested)
        {
            group.Pids.OnInitExit();
        }

        NotifyEnd(group);
        group.Container.OnProcessExit(group);
    }

    private static void NotifyTracerOfEnd(Tracee tracee, int waitStatus)
    {
        (int code, int status) = Explain(waitStatus);
        NotifyTracer(tracee, code, status);
    }

    private static void Notify(ThreadGroup receiver, GuestTask child, Signal signal, int code, int status)
    {
        SignalAction action = receiver.Actions[Signal.SIGCHLD];
        bool wanted = code is ChildExited or ChildKilled or ChildDumped || (action.Flags & SignalAction.NoChildStop) == 0;
        if (wanted && signal != Signal.None)
        {
            CpuTimes used = child.ThreadGroup.EndedCpuTimes;
            SignalSender.SendToProcess(receiver, SignalInfo.FromChild(signal, code, child.Id.In(receiver.Pids), child.Credentials.RealUid, status, used.UserNs / NanosecondsPerTick, used.SystemNs / NanosecondsPerTick));
        }

        receiver.ChildEvents.Notify(PollEvents.POLLIN);
    }

    /// <summary>The <c>si_code</c> and <c>si_status</c> of a wait status.</summary>
    public static (int Code, int Status) Explain(int waitStatus) => (waitStatus & 0x7f) is var signal and not 0
        ? ((waitStatus & 0x80) != 0 ? ChildDumped : ChildKilled, signal)
        : (ChildExited, (waitStatus >> 8) & 0xff);

    private static ThreadGroup? FindReaper(ThreadGroup group)
    {
        for (ThreadGroup? ancestor = group.Parent; ancestor is not null && ancestor.Pids == group.Pids; ancestor = ancestor.Parent)
        {
            if (ancestor.IsSubreaper && !ancestor.IsZombie && !ancestor.IsExiting)
            {
                return ancestor;
            }
        }

        return group.Pids.Init is { IsZombie: false } init && init != group ? init : null;
    }

    // The groups of a process and its children that somebody could continue so far.
    private static List<ProcessGroup> HeldGroups(ThreadGroup group)
    {
        List<ProcessGroup> held = [];
        void Consider(ProcessGroup candidate)
        {
            if (!held.Contains(candidate) && !candidate.IsOrphaned)
            {
                held.Add(candidate);
            }
        }

        Consider(group.ProcessGroup);
        group.Children.ForEach(child => Consider(child.ProcessGroup));
        return held;
    }

    // A stopped group that nobody can continue any more gets SIGHUP and SIGCONT (POSIX, _exit()).
    private static void HangUpIfOrphaned(ProcessGroup group)
    {
        if (!group.IsOrphaned || !group.Members.Exists(static member => member.IsStopped))
        {
            return;
        }

        SignalSender.SendToGroup(group, SignalInfo.FromKernel(Signal.SIGHUP));
        SignalSender.SendToGroup(group, SignalInfo.FromKernel(Signal.SIGCONT));
    }
}
