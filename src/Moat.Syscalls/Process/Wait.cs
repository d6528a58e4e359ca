using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Syscalls.Time;

namespace Moat.Syscalls.Process;

/// <summary>wait4(2), waitid(2).</summary>
internal static class Wait
{
    private const int NoHang = 1;
    private const int Stopped = 2; // WUNTRACED, WSTOPPED
    private const int Exited = 4;
    private const int Continued = 8;
    private const int NoWait = 0x01000000;
    private const int OnlyThreads = 0x20000000; // __WNOTHREAD
    private const int AllChildren = 0x40000000; // __WALL
    private const int CloneChildren = unchecked((int)0x80000000); // __WCLONE

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.wait4, Wait4, Arg.Pid, Arg.WaitStatusOut, Arg.WaitOptions, Arg.Pointer);
        table.Add(SyscallNumber.waitid, Waitid, Arg.Int, Arg.Pid, Arg.Pointer, Arg.Hex, Arg.Pointer);
    }

    private static SyscallResult Wait4(GuestTask task, in SyscallArguments arguments)
    {
        int options = arguments.Int(2);
        if ((options & ~(NoHang | Stopped | Continued | OnlyThreads | AllChildren | CloneChildren)) != 0)
        {
            return Errno.EINVAL;
        }

        int pid = arguments.Int(0);
        if (pid == int.MinValue)
        {
            return Errno.ESRCH;
        }

        Func<GuestTask, bool> wanted = pid is 0 or < -1 ? IsInGroup(task, -pid) : child => pid == -1 || child.Id.In(task.Pids) == pid;
        Errno errno = Find(task, wanted, options | Exited, out ChildEvent found);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (found.Pid == 0)
        {
            return 0;
        }

        if (!arguments.Address(1).IsNull && (errno = task.Memory.Write(arguments.Address(1), found.Status)) != Errno.None)
        {
            return errno;
        }

        return WriteUsage(task, arguments.Address(3), found) is var failure and not Errno.None ? failure : found.Pid;
    }

    private static SyscallResult Waitid(GuestTask task, in SyscallArguments arguments)
    {
        int options = arguments.Int(3);
        if ((options & ~(NoHang | Stopped | Exited | Continued | NoWait | OnlyThreads | AllChildren | CloneChildren)) != 0 || (options & (Stopped | Exited | Continued)) == 0)
        {
            return Errno.EINVAL;
        }

        (int kind, int id) = (arguments.Int(0), arguments.Int(1));
        Func<GuestTask, bool> wanted;
        bool isNonBlocking = false;
        switch (kind)
        {
            case 0: // P_ALL
                wanted = static _ => true;
                break;
            case 1 when id > 0: // P_PID
                wanted = child => child.Id.In(task.Pids) == id;
                break;
            case 2 when id >= 0: // P_PGID
                wanted = IsInGroup(task, id);
                break;
            case 3 when id >= 0: // P_PIDFD
                if (!PidfdCalls.Find(task, id, out isNonBlocking).TryGet(out ThreadGroup? process, out Errno unknown))
                {
                    return unknown;
                }

                wanted = child => child.ThreadGroup == process && process.Leader == child;
                break;
            default:
                return Errno.EINVAL;
        }

        Errno errno = Find(task, wanted, isNonBlocking ? options | NoHang : options, out ChildEvent found);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (found.Pid == 0 && isNonBlocking && (options & NoHang) == 0)
        {
            return Errno.EAGAIN;
        }

        if (!arguments.Address(2).IsNull)
        {
            SignalInfo info = found.Pid == 0 ? default : SignalInfo.FromChild(Signal.SIGCHLD, found.Code, found.Pid, found.Uid, found.CodeStatus, 0, 0);
            errno = task.Memory.CopyOut(arguments.Address(2), ((ReadOnlySpan<byte>)info)[..128]);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return found.Pid == 0 ? Errno.None : WriteUsage(task, arguments.Address(4), found);
    }

    // Whether somebody is in a process group; 0 means the caller's at this moment, which may have no number where the caller lives.
    private static Func<GuestTask, bool> IsInGroup(GuestTask task, int number)
    {
        if (number != 0)
        {
            return child => child.ThreadGroup.ProcessGroup.Id.In(task.Pids) == number;
        }

        TaskId own;
        lock (task.Kernel.TaskLock)
        {
            own = task.ThreadGroup.ProcessGroup.Id;
        }

        return child => child.ThreadGroup.ProcessGroup.Id == own;
    }

    private static Errno WriteUsage(GuestTask task, GuestAddress address, ChildEvent found) => address.IsNull ? Errno.None : ResourceUsage.Write(task, address, found.Cpu, found.Usage ?? new TaskUsage());

    private static Errno Find(GuestTask task, Func<GuestTask, bool> wanted, int options, out ChildEvent found)
    {
        ThreadGroup group = task.ThreadGroup;
        TaskWaitEntry entry = new(task) { Mask = PollEvents.POLLIN };
        group.ChildEvents.Add(entry);
        try
        {
            while (true)
            {
                lock (task.Kernel.TaskLock)
                {
                    bool any = false;
                    if (TryTakeChild(task, wanted, options, ref any, out found) || TryTakeTracee(task, wanted, options, ref any, out found))
                    {
                        return Errno.None;
                    }

                    if (!any)
                    {
                        found = default;
                        return Errno.ECHILD;
                    }
                }

                found = default;
                if ((options & NoHang) != 0)
                {
                    return Errno.None;
                }

                Errno errno = task.Block();
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }
        finally
        {
            group.ChildEvents.Remove(entry);
        }
    }

    private static bool TryTakeChild(GuestTask task, Func<GuestTask, bool> wanted, int options, ref bool any, out ChildEvent found)
    {
        foreach (ThreadGroup child in task.ThreadGroup.Children)
        {
            bool isOther = !wanted(child.Leader) || !MatchesKind(child, options) || ((options & OnlyThreads) != 0 && child.ParentTask != task);
            if (isOther || child.Leader.Tracee is { IsForeign: false })
            {
                continue; // of a tracee the caller hears as its tracer
            }

            any = true;
            if (TryTake(child, task.Pids, options, out found))
            {
                return true;
            }
        }

        found = default;
        return false;
    }

    // A tracee is found whatever its exit signal.
    private static bool TryTakeTracee(GuestTask task, Func<GuestTask, bool> wanted, int options, ref bool any, out ChildEvent found)
    {
        foreach (GuestTask tracer in task.ThreadGroup.Tasks)
        {
            if ((options & OnlyThreads) != 0 && tracer != task)
            {
                continue;
            }

            foreach (Tracee tracee in tracer.Tracees)
            {
                if (!wanted(tracee.Task))
                {
                    continue;
                }

                any = true;
                if (TryTake(tracee, task.Pids, options, out found))
                {
                    return true;
                }
            }
        }

        found = default;
        return false;
    }

    private static bool MatchesKind(ThreadGroup child, int options) =>
        (options & AllChildren) != 0 || (child.ExitSignal != Signal.SIGCHLD) == ((options & CloneChildren) != 0);

    private static bool TryTake(ThreadGroup child, PidNamespace viewer, int options, out ChildEvent found)
    {
        bool keep = (options & NoWait) != 0;
        if (child.IsZombie && child.Leader.Tracee is null && (options & Exited) != 0)
        {
            found = ChildEvent.OfEnd(child.Leader, viewer, child.ExitStatus);
            if (!keep)
            {
                ProcessExit.Reap(child);
            }

            return true;
        }

        if (child.IsStopped && child.StopUnreported && (options & Stopped) != 0)
        {
            child.StopUnreported = keep;
            found = ChildEvent.OfStop(child.Leader, viewer, (int)child.StopSignal, ProcessExit.ChildStopped);
            return true;
        }

        return TryTakeContinuation(child.Leader, viewer, options, out found);
    }

    private static bool TryTake(Tracee tracee, PidNamespace viewer, int options, out ChildEvent found)
    {
        bool keep = (options & NoWait) != 0;
        GuestTask task = tracee.Task;
        if (tracee.IsZombie)
        {
            found = default;
            if ((options & Exited) == 0)
            {
                return false;
            }

            found = ChildEvent.OfEnd(task, viewer, ProcessExit.StatusOf(task));
            if (!keep)
            {
                TraceLinks.Reap(tracee);
            }

            return true;
        }

        if (tracee.HasReport)
        {
            found = ChildEvent.OfStop(task, viewer, tracee.Code, ProcessExit.ChildTrapped);
            tracee.Code = keep ? tracee.Code : 0;
            return true;
        }

        return TryTakeContinuation(task, viewer, options, out found);
    }

    private static bool TryTakeContinuation(GuestTask child, PidNamespace viewer, int options, out ChildEvent found)
    {
        found = default;
        if (!child.ThreadGroup.ContinueUnreported || (options & Continued) == 0)
        {
            return false;
        }

        child.ThreadGroup.ContinueUnreported = (options & NoWait) != 0;
        found = ChildEvent.OfContinuation(child, viewer);
        return true;
    }
}
