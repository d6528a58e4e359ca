using Moat.Kernel.Credentials;
using Moat.Kernel.Loader;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>Who traces whom: how that begins and ends.</summary>
public static class TraceLinks
{
    /// <summary>PTRACE_TRACEME: the caller's parent traces it.</summary>
    /// <returns>EPERM if somebody traces it already or the parent may not.</returns>
    public static Errno TraceMe(GuestTask task)
    {
        lock (task.Kernel.TaskLock)
        {
            if (task.Tracee is not null || task.ThreadGroup.ParentTask is not { } parent || !TraceAccess.MayBeTracedBy(task, parent))
            {
                return Errno.EPERM;
            }

            Link(new Tracee(task, parent, isSeized: false));
        }

        task.Memory.ShowOriginalCode();
        return Errno.None;
    }

    /// <summary>PTRACE_ATTACH, PTRACE_SEIZE. A task whose group is stopped is the tracer's when this returns.</summary>
    /// <returns>EPERM.</returns>
    public static Errno Attach(GuestTask tracer, GuestTask task, bool seizes, TraceOptions options)
    {
        Tracee tracee = new(task, tracer, seizes) { Options = options };
        bool wasStopped;
        lock (task.Kernel.TaskLock)
        {
            if (task.ThreadGroup == tracer.ThreadGroup || !TraceAccess.IsAllowed(tracer, task) || task.HasEnded || task.Tracee is not null)
            {
                return Errno.EPERM;
            }

            Link(tracee);
            if (!seizes)
            {
                SignalSender.SendToTask(task, SignalInfo.FromKernel(Signal.SIGSTOP));
            }

            wasStopped = task.ThreadGroup.IsStopped;
            if (wasStopped)
            {
                tracee.JoinGroupStop(task.ThreadGroup.StopSignal, isOwn: true);
                SignalSender.Wake(task);
            }
        }

        task.Memory.ShowOriginalCode();
        while (wasStopped && IsOnItsWay(tracee) && !TraceStops.IsKilled(tracer))
        {
            tracer.ParkUninterruptibly();
        }

        return Errno.None;
    }

    /// <summary>PTRACE_DETACH, and what else ends a tracee's time with its tracer while it lives. Under the task lock.</summary>
    public static void Detach(Tracee tracee, int signal)
    {
        tracee.Code = signal;
        Unlink(tracee);
    }

    /// <summary>A tracer has waited for the end of its tracee. Under the task lock.</summary>
    public static void Reap(Tracee tracee)
    {
        GuestTask task = tracee.Task;
        bool isForeign = tracee.IsForeign;
        Unlink(tracee);
        if (task.ThreadGroup.Leader != task)
        {
            PidNamespace.Free(task.Id, keepReserved: false);
        }
        else if (isForeign)
        {
            ProcessExit.NotifyEnd(task.ThreadGroup); // now the parent's turn has come
        }
        else
        {
            ProcessExit.Reap(task.ThreadGroup);
        }
    }

    /// <summary>A task has made another, which does not run yet: the tracer of the one may want the other too.</summary>
    /// <returns>The event that the maker is to stop for, or None.</returns>
    internal static TraceEvent OnClone(GuestTask maker, GuestTask child, in CloneRequest request)
    {
        if (maker.Tracee is null)
        {
            return TraceEvent.None;
        }

        lock (maker.Kernel.TaskLock)
        {
            TraceEvent traceEvent = request.Has(CloneRequest.Untraced) ? TraceEvent.None
                : request.Has(CloneRequest.Vfork) ? TraceEvent.Vfork
                : request.ExitSignal != Signal.SIGCHLD ? TraceEvent.Clone : TraceEvent.Fork;
            bool isWanted = traceEvent != TraceEvent.None && maker.Tracee is { } known && known.Wants(traceEvent);
            if ((isWanted || request.Has(CloneRequest.Traced)) && maker.Tracee is { } tracee && child.Tracee is null)
            {
                Inherit(tracee, child);
            }

            return isWanted ? traceEvent : TraceEvent.None;
        }
    }

    private static void Inherit(Tracee maker, GuestTask child)
    {
        Tracee tracee = new(child, maker.Tracer, maker.IsSeized) { Options = maker.Options };
        Link(tracee);
        if (maker.IsSeized)
        {
            tracee.Interrupt();
        }
        else
        {
            child.Signals.Queue.Add(SignalInfo.FromSender(Signal.SIGSTOP, SignalInfo.SiUser, 0, 0));
        }
    }

    /// <summary>A tracer ends: its tracees are free, or die with it. Under the task lock.</summary>
    internal static void OnTracerEnd(GuestTask tracer)
    {
        foreach (Tracee tracee in tracer.Tracees.ToArray())
        {
            if ((tracee.Options & TraceOptions.ExitKill) != 0)
            {
                SignalSender.SendToProcess(tracee.Task.ThreadGroup, SignalInfo.FromKernel(Signal.SIGKILL));
            }

            bool isZombie = tracee.IsZombie;
            bool isForeign = tracee.IsForeign;
            Unlink(tracee);
            if (!isZombie)
            {
                continue;
            }

            if (tracee.Task.ThreadGroup.Leader != tracee.Task)
            {
                PidNamespace.Free(tracee.Task.Id, keepReserved: false);
            }
            else if (isForeign)
            {
                ProcessExit.NotifyEnd(tracee.Task.ThreadGroup);
            }
        }
    }

    /// <summary>A task has a new program. Who attached to it after its credentials had been decided on, and could not have with those, loses it. Under the task lock.</summary>
    internal static void OnExecution(GuestTask task, LoadedProgram program)
    {
        if (task.Tracee is not { } tracee)
        {
            return;
        }

        tracee.Inspect(program.Memory);
        tracee.Breakpoints = null;
        if (program.Credentials is { IsSecure: true, IsHeldBack: false } && !tracee.TracerCredentials.HasCapability(Capability.CAP_SYS_PTRACE))
        {
            Detach(tracee, 0);
        }
    }

    /// <summary>A traced leader has given its place to the thread that executes a program: its tracer hears no more of it. Under the task lock.</summary>
    internal static void Forget(GuestTask task)
    {
        if (task.Tracee is { } tracee)
        {
            Unlink(tracee);
            tracee.Tracer.ThreadGroup.ChildEvents.Notify(PollEvents.POLLIN);
        }
    }

    private static void Link(Tracee tracee)
    {
        tracee.Task.Tracee = tracee;
        tracee.Tracer.Tracees.Add(tracee);
        tracee.Inspect(tracee.Task.Memory);
    }

    private static void Unlink(Tracee tracee)
    {
        GuestTask task = tracee.Task;
        tracee.Tracer.Tracees.Remove(tracee);
        tracee.Inspect(null);
        task.Tracee = null;
        tracee.IsStopped = false;
        tracee.Tracer.Unblock(); // see Attach
        if (!task.HasEnded)
        {
            SignalSender.Wake(task); // out of its stop, and into one of its group
        }
    }

    private static bool IsOnItsWay(Tracee tracee)
    {
        lock (tracee.Task.Kernel.TaskLock)
        {
            return tracee.Task.Tracee == tracee && tracee.HasTrap && !tracee.Task.HasEnded && !TraceStops.IsKilled(tracee.Task);
        }
    }
}
