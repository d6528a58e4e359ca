using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
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

        int group = pid == 0 ? GroupOf(task) : pid < -1 ? -pid : 0;
        Errno errno = Find(task, child => group != 0 ? child.ProcessGroup.Id == group : pid == -1 || child.Pid == pid, options | Exited, out ChildEvent found);
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
        Func<ThreadGroup, bool> wanted;
        bool isNonBlocking = false;
        switch (kind)
        {
            case 0: // P_ALL
                wanted = static _ => true;
                break;
            case 1 when id > 0: // P_PID
                wanted = child => child.Pid == id;
                break;
            case 2 when id >= 0: // P_PGID
                int group = id == 0 ? GroupOf(task) : id;
                wanted = child => child.ProcessGroup.Id == group;
                break;
            case 3 when id >= 0: // P_PIDFD
                if (!PidfdCalls.Find(task, id, out isNonBlocking).TryGet(out ThreadGroup? process, out Errno unknown))
                {
                    return unknown;
                }

                wanted = child => child == process;
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

    private static int GroupOf(GuestTask task)
    {
        lock (task.Kernel.TaskLock)
        {
            return task.ThreadGroup.ProcessGroup.Id;
        }
    }

    private static Errno WriteUsage(GuestTask task, GuestAddress address, ChildEvent found) => address.IsNull ? Errno.None : ResourceUsage.Write(task, address, found.Cpu, found.Usage ?? new TaskUsage());

    private static TaskUsage UsageOf(ThreadGroup child)
    {
        TaskUsage usage = new();
        usage.Add(child.EndedUsage);
        usage.Add(child.ChildrenUsage);
        return usage;
    }

    private static Errno Find(GuestTask task, Func<ThreadGroup, bool> wanted, int options, out ChildEvent found)
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
                    foreach (ThreadGroup child in group.Children)
                    {
                        if (!wanted(child) || !MatchesKind(child, options))
                        {
                            continue;
                        }

                        any = true;
                        if (TryTake(child, options, out found))
                        {
                            return Errno.None;
                        }
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

    private static bool MatchesKind(ThreadGroup child, int options) =>
        (options & AllChildren) != 0 || (child.ExitSignal != Signal.SIGCHLD) == ((options & CloneChildren) != 0);

    private static bool TryTake(ThreadGroup child, int options, out ChildEvent found)
    {
        bool keep = (options & NoWait) != 0;
        uint uid = child.Leader.Credentials.RealUid;
        if (child.IsZombie && (options & Exited) != 0)
        {
            int status = child.ExitStatus;
            int signal = status & 0x7f;
            found = signal == 0
                ? new ChildEvent(child.Pid, status, ProcessExit.ChildExited, (status >> 8) & 0xff, uid, child.EndedCpuTimes + child.ChildrenCpuTimes, UsageOf(child))
                : new ChildEvent(child.Pid, status, (status & 0x80) != 0 ? ProcessExit.ChildDumped : ProcessExit.ChildKilled, signal, uid, child.EndedCpuTimes + child.ChildrenCpuTimes, UsageOf(child));
            if (!keep)
            {
                ProcessExit.Reap(child);
            }

            return true;
        }

        if (child.IsStopped && child.StopUnreported && (options & Stopped) != 0)
        {
            child.StopUnreported = keep;
            found = new ChildEvent(child.Pid, ((int)child.StopSignal << 8) | 0x7f, ProcessExit.ChildStopped, (int)child.StopSignal, uid, default, null);
            return true;
        }

        if (child.ContinueUnreported && (options & Continued) != 0)
        {
            child.ContinueUnreported = keep;
            found = new ChildEvent(child.Pid, 0xffff, ProcessExit.ChildContinued, (int)Signal.SIGCONT, uid, default, null);
            return true;
        }

        found = default;
        return false;
    }

    private readonly record struct ChildEvent(int Pid, int Status, int Code, int CodeStatus, uint Uid, CpuTimes Cpu, TaskUsage? Usage);
}
