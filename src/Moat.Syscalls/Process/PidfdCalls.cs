using System.Numerics;
using Moat.Filesystems.EventFiles;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Syscalls.Signals;

namespace Moat.Syscalls.Process;

/// <summary>pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).</summary>
internal static class PidfdCalls
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.pidfd_open, PidfdOpen, Arg.Pid, Arg.Hex);
        table.Add(SyscallNumber.pidfd_send_signal, PidfdSendSignal, Arg.Fd, Arg.Signal, Arg.Pointer, Arg.Hex);
        table.Add(SyscallNumber.pidfd_getfd, PidfdGetfd, Arg.Fd, Arg.Fd, Arg.Hex);
    }

    /// <summary>A descriptor of the caller for a process: CLONE_PIDFD.</summary>
    public static Result<int> Make(GuestTask task, ThreadGroup process, OpenFlags flags)
    {
        SyscallResult made = Guest.InstallNew(task, new PidfdDescription((AnonymousFilesystem)task.Kernel.AnonymousFiles, process, flags), (int)OpenFlags.O_CLOEXEC);
        return made.IsError ? made.Errno : (int)made.Raw;
    }

    /// <summary>Looks a pidfd up.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="fd">The descriptor.</param>
    /// <param name="isNonBlocking">PIDFD_NONBLOCK.</param>
    /// <returns>EBADF for anything else.</returns>
    public static Result<ThreadGroup> Find(GuestTask task, int fd, out bool isNonBlocking)
    {
        isNonBlocking = false;
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        ThreadGroup? process = (file as PidfdDescription)?.Process;
        isNonBlocking = file.IsNonBlocking;
        file.Release();
        return process is null ? Errno.EBADF : process;
    }

    // pidfd_send_signal(2) takes the directory /proc/PID too: how it was done before there were pidfds.
    private static Result<ThreadGroup> FindSignalled(GuestTask task, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        ThreadGroup? process = (file as PidfdDescription)?.Process ?? (file.IsPath ? null : (file.Inode as IProcessInode)?.Process);
        file.Release();
        return process is null ? Errno.EBADF : process;
    }

    private static SyscallResult PidfdOpen(GuestTask task, in SyscallArguments arguments)
    {
        (int pid, int flags) = (arguments.Int(0), arguments.Int(1));
        if ((flags & ~(int)OpenFlags.O_NONBLOCK) != 0 || pid <= 0)
        {
            return Errno.EINVAL;
        }

        GuestTask? found = task.Pids.FindTask(pid);
        if (found is null || found.ThreadGroup.Leader != found)
        {
            return found is null ? Errno.ESRCH : Errno.ENOENT;
        }

        return Make(task, found.ThreadGroup, (OpenFlags)flags).TryGet(out int fd, out Errno errno) ? fd : errno;
    }

    private static SyscallResult PidfdSendSignal(GuestTask task, in SyscallArguments arguments)
    {
        const uint Thread = 1;
        const uint ThreadGroupScope = 2;
        const uint ProcessGroupScope = 4;
        uint flags = arguments.UInt(3);
        if ((flags & ~(Thread | ThreadGroupScope | ProcessGroupScope)) != 0 || BitOperations.PopCount(flags) > 1)
        {
            return Errno.EINVAL;
        }

        if (!FindSignalled(task, arguments.Int(0)).TryGet(out ThreadGroup? process, out Errno errno))
        {
            return errno;
        }

        int number = arguments.Int(1);
        SignalInfo info;
        if (arguments.Address(2).IsNull)
        {
            if (number is < 0 or > 64)
            {
                return Errno.EINVAL;
            }

            info = SignalInfo.FromSender((Signal)number, flags == Thread ? SignalInfo.SiTkill : SignalInfo.SiUser, task.ThreadGroup.Pid, task.Credentials.RealUid);
        }
        else
        {
            errno = task.Memory.Read(arguments.Address(2), out info);
            if (errno != Errno.None)
            {
                return errno;
            }

            if ((int)info.Signal != number || number is < 0 or > 64)
            {
                return Errno.EINVAL;
            }

            if (process != task.ThreadGroup && (info.Code >= 0 || info.Code == SignalInfo.SiTkill))
            {
                return Errno.EPERM;
            }
        }

        lock (task.Kernel.TaskLock)
        {
            if (process.IsReaped)
            {
                return Errno.ESRCH;
            }

            if (flags == ProcessGroupScope)
            {
                bool sent = false;
                foreach (ThreadGroup member in process.ProcessGroup.Members.ToArray())
                {
                    sent |= Kill.SendTo(task, member, info) == Errno.None;
                }

                return sent ? Errno.None : Errno.EPERM;
            }

            return flags == Thread ? Kill.SendTo(task, process.Leader, info) : Kill.SendTo(task, process, info);
        }
    }

    private static SyscallResult PidfdGetfd(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.UInt(2) != 0)
        {
            return Errno.EINVAL;
        }

        if (!Find(task, arguments.Int(0), out _).TryGet(out ThreadGroup? process, out Errno errno))
        {
            return errno;
        }

        FdTable files;
        lock (task.Kernel.TaskLock)
        {
            if (process.IsZombie || process.Leader.HasEnded)
            {
                return Errno.ESRCH;
            }

            if (!TraceAccess.IsAllowed(task, process.Leader))
            {
                return Errno.EPERM;
            }

            files = process.Leader.Files;
        }

        return files.Get(arguments.Int(1)).TryGet(out FileDescription? file, out errno) ? Guest.InstallNew(task, file, (int)OpenFlags.O_CLOEXEC) : errno;
    }
}
