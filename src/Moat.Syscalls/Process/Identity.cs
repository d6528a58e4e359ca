using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>getpid(2), getppid(2), gettid(2), process groups and sessions (setpgid(2), setsid(2)), set_tid_address(2), robust lists.</summary>
internal static class Identity
{
    private const ulong HeadSize = 24; // sizeof(struct robust_list_head)

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getpid, static (GuestTask task, in SyscallArguments _) => task.ThreadGroup.Pid);
        table.Add(SyscallNumber.gettid, static (GuestTask task, in SyscallArguments _) => task.Tid);
        table.Add(SyscallNumber.getppid, Getppid);
        table.Add(SyscallNumber.getpgrp, static (GuestTask task, in SyscallArguments _) => GroupOf(task, 0));
        table.Add(SyscallNumber.getpgid, static (GuestTask task, in SyscallArguments arguments) => GroupOf(task, arguments.Int(0)), Arg.Pid);
        table.Add(SyscallNumber.setpgid, Setpgid, Arg.Pid, Arg.Pid);
        table.Add(SyscallNumber.getsid, Getsid, Arg.Pid);
        table.Add(SyscallNumber.setsid, Setsid);
        table.Add(SyscallNumber.set_tid_address, SetTidAddress, Arg.Pointer);
        table.Add(SyscallNumber.set_robust_list, SetRobustList, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.get_robust_list, GetRobustList, Arg.Pid, Arg.Pointer, Arg.Pointer);
    }

    private static SyscallResult Getppid(GuestTask task, in SyscallArguments arguments)
    {
        lock (task.Kernel.TaskLock)
        {
            return task.ThreadGroup.Parent?.Id.In(task.Pids) ?? 0;
        }
    }

    private static SyscallResult GroupOf(GuestTask task, int pid)
    {
        lock (task.Kernel.TaskLock)
        {
            ThreadGroup? process = pid == 0 ? task.ThreadGroup : task.Pids.FindProcess(pid);
            return process is null ? Errno.ESRCH : process.ProcessGroup.Id.In(task.Pids);
        }
    }

    private static SyscallResult Getsid(GuestTask task, in SyscallArguments arguments)
    {
        lock (task.Kernel.TaskLock)
        {
            ThreadGroup? process = arguments.Int(0) == 0 ? task.ThreadGroup : task.Pids.FindProcess(arguments.Int(0));
            return process is null ? Errno.ESRCH : process.ProcessGroup.Session.Id.In(task.Pids);
        }
    }

    private static SyscallResult Setpgid(GuestTask task, in SyscallArguments arguments)
    {
        int wanted = arguments.Int(1);
        if (wanted < 0)
        {
            return Errno.EINVAL;
        }

        lock (task.Kernel.TaskLock)
        {
            ThreadGroup self = task.ThreadGroup;
            int pid = arguments.Int(0) == 0 ? self.Pid : arguments.Int(0);
            wanted = wanted == 0 ? pid : wanted;
            if (task.Pids.FindProcess(pid) is not { } process || (process != self && process.Parent != self))
            {
                return Errno.ESRCH;
            }

            Session session = self.ProcessGroup.Session;
            if (process != self)
            {
                if (process.ProcessGroup.Session != session)
                {
                    return Errno.EPERM;
                }

                if (process.HasExecuted)
                {
                    return Errno.EACCES;
                }
            }

            if (process.ProcessGroup.Session.Id == process.Id)
            {
                return Errno.EPERM;
            }

            if (process.ProcessGroup.Id.In(task.Pids) == wanted)
            {
                return SyscallResult.Ok;
            }

            ProcessGroup? group = session.Groups.Find(candidate => candidate.Id.In(task.Pids) == wanted);
            if (group is null && wanted != pid)
            {
                return Errno.EPERM;
            }

            if (group is null)
            {
                group = new ProcessGroup(process.Id, session);
                session.Groups.Add(group);
            }

            ProcessExit.LeaveGroup(process);
            group.Members.Add(process);
            process.ProcessGroup = group;
            return SyscallResult.Ok;
        }
    }

    private static SyscallResult Setsid(GuestTask task, in SyscallArguments arguments)
    {
        lock (task.Kernel.TaskLock)
        {
            ThreadGroup self = task.ThreadGroup;
            if (task.Pids.FindGroup(self.Pid) is not null)
            {
                return Errno.EPERM;
            }

            Session session = new(self.Id);
            ProcessGroup group = new(self.Id, session);
            session.Groups.Add(group);
            ProcessExit.LeaveGroup(self);
            group.Members.Add(self);
            self.ProcessGroup = group;
            self.HasLeftTerminal = false;
            return self.Pid;
        }
    }

    private static SyscallResult SetTidAddress(GuestTask task, in SyscallArguments arguments)
    {
        task.ClearTidAddress = arguments.Address(0);
        return task.Tid;
    }

    private static SyscallResult GetRobustList(GuestTask task, in SyscallArguments arguments)
    {
        GuestTask? other = arguments.Int(0) == 0 ? task : task.Pids.FindTask(arguments.Int(0));
        if (other is null || !TraceAccess.IsAllowed(task, other))
        {
            return other is null ? Errno.ESRCH : Errno.EPERM;
        }

        Errno errno = task.Memory.Write(arguments.Address(2), HeadSize);
        return errno != Errno.None ? errno : task.Memory.Write(arguments.Address(1), other.RobustList.Value);
    }

    private static SyscallResult SetRobustList(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Size(1) != HeadSize)
        {
            return Errno.EINVAL;
        }

        task.RobustList = arguments.Address(0);
        return SyscallResult.Ok;
    }
}
