using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Signals;

/// <summary>kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2).</summary>
internal static class Kill
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.kill, KillCall, Arg.Pid, Arg.Signal);
        table.Add(SyscallNumber.tkill, Tkill, Arg.Pid, Arg.Signal);
        table.Add(SyscallNumber.tgkill, Tgkill, Arg.Pid, Arg.Pid, Arg.Signal);
        table.Add(SyscallNumber.rt_sigqueueinfo, Sigqueueinfo, Arg.Pid, Arg.Signal, Arg.Pointer);
        table.Add(SyscallNumber.rt_tgsigqueueinfo, Tgsigqueueinfo, Arg.Pid, Arg.Pid, Arg.Signal, Arg.Pointer);
    }

    private static SyscallResult KillCall(GuestTask task, in SyscallArguments arguments)
    {
        (int pid, int number) = (arguments.Int(0), arguments.Int(1));
        if (number is < 0 or > 64)
        {
            return Errno.EINVAL;
        }

        if (pid == int.MinValue)
        {
            return Errno.ESRCH;
        }

        SignalInfo info = SenderInfo(task, (Signal)number, SignalInfo.SiUser);
        lock (task.Kernel.TaskLock)
        {
            if (pid > 0)
            {
                return task.Pids.FindTask(pid) is { } target ? SendTo(task, target.ThreadGroup, info) : Errno.ESRCH;
            }

            ProcessGroup? group = pid == 0 ? task.ThreadGroup.ProcessGroup : pid == -1 ? null : task.Pids.FindGroup(-pid);
            bool found = false;
            bool sent = false;
            foreach (ThreadGroup process in task.Pids.ListProcesses())
            {
                bool wanted = pid == -1 ? process != task.Pids.Init && process != task.ThreadGroup : group is not null && process.ProcessGroup == group;
                if (!wanted)
                {
                    continue;
                }

                found = true;
                sent |= SendTo(task, process, info) == Errno.None;
            }

            return !found ? Errno.ESRCH : sent ? Errno.None : Errno.EPERM;
        }
    }

    private static SyscallResult Tkill(GuestTask task, in SyscallArguments arguments) => ToTask(task, 0, arguments.Int(0), arguments.Int(1), null);

    private static SyscallResult Tgkill(GuestTask task, in SyscallArguments arguments) =>
        arguments.Int(0) <= 0 ? Errno.EINVAL : ToTask(task, arguments.Int(0), arguments.Int(1), arguments.Int(2), null);

    private static SyscallResult Sigqueueinfo(GuestTask task, in SyscallArguments arguments)
    {
        if (!ReadInfo(task, arguments.Address(2), arguments.Int(1), arguments.Int(0)).TryGet(out SignalInfo info, out Errno errno))
        {
            return errno;
        }

        lock (task.Kernel.TaskLock)
        {
            return task.Pids.FindTask(arguments.Int(0)) is { } target ? SendTo(task, target.ThreadGroup, info) : Errno.ESRCH;
        }
    }

    private static SyscallResult Tgsigqueueinfo(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Int(0) <= 0 || arguments.Int(1) <= 0)
        {
            return Errno.EINVAL;
        }

        return ReadInfo(task, arguments.Address(3), arguments.Int(2), arguments.Int(0)).TryGet(out SignalInfo info, out Errno errno)
            ? ToTask(task, arguments.Int(0), arguments.Int(1), arguments.Int(2), info)
            : errno;
    }

    private static Result<SignalInfo> ReadInfo(GuestTask task, GuestAddress address, int number, int pid)
    {
        SignalInfo info = default;
        Errno errno = task.Memory.CopyIn(address, info);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (number is < 0 or > 64)
        {
            return Errno.EINVAL;
        }

        // Only a process itself may claim to be the kernel or kill(2) (rt_sigqueueinfo(2)).
        return (info.Code >= 0 || info.Code == SignalInfo.SiTkill) && task.ThreadGroup.Pid != pid ? Errno.EPERM : info.WithSignal((Signal)number);
    }

    private static SyscallResult ToTask(GuestTask task, int pid, int tid, int number, SignalInfo? given)
    {
        if (tid <= 0 || number is < 0 or > 64)
        {
            return Errno.EINVAL;
        }

        SignalInfo info = given ?? SenderInfo(task, (Signal)number, SignalInfo.SiTkill);
        lock (task.Kernel.TaskLock)
        {
            if (task.Pids.FindTask(tid) is not { } target || (pid > 0 && target.ThreadGroup.Id.In(task.Pids) != pid) || (target.HasEnded && target.ThreadGroup.Leader != target))
            {
                return Errno.ESRCH;
            }

            if (!MaySend(task, target.ThreadGroup, (Signal)number))
            {
                return Errno.EPERM;
            }

            return number == 0 ? Errno.None : SignalSender.Send(task, target.ThreadGroup, target, info);
        }
    }

    /// <summary>Sends to a process if the caller may; signal 0 only asks. Under the task lock.</summary>
    internal static Errno SendTo(GuestTask task, ThreadGroup target, in SignalInfo info)
    {
        if (!MaySend(task, target, info.Signal))
        {
            return Errno.EPERM;
        }

        return info.Signal == Signal.None ? Errno.None : SignalSender.Send(task, target, null, info);
    }

    /// <summary>Sends to one task if the caller may; signal 0 only asks. Under the task lock.</summary>
    internal static Errno SendTo(GuestTask task, GuestTask target, in SignalInfo info)
    {
        if (!MaySend(task, target.ThreadGroup, info.Signal))
        {
            return Errno.EPERM;
        }

        return info.Signal == Signal.None ? Errno.None : SignalSender.Send(task, target.ThreadGroup, target, info);
    }

    private static SignalInfo SenderInfo(GuestTask task, Signal signal, int code) => SignalInfo.FromSender(signal, code, task.ThreadGroup.Pid, task.Credentials.RealUid);

    private static bool MaySend(GuestTask task, ThreadGroup target, Signal signal)
    {
        TaskCredentials who = task.Credentials;
        TaskCredentials other = target.Leader.Credentials;
        return target == task.ThreadGroup || who.HasCapability(Capability.CAP_KILL)
            || who.EffectiveUid == other.SavedUid || who.EffectiveUid == other.RealUid || who.RealUid == other.SavedUid || who.RealUid == other.RealUid
            || (signal == Signal.SIGCONT && target.ProcessGroup.Session == task.ThreadGroup.ProcessGroup.Session);
    }
}
