using Moat.Filesystems.Pipe;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>fcntl(2) and ioctl(2).</summary>
internal static class Fcntl
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.fcntl, FcntlCall, Arg.Fd, Arg.FcntlCommand, Arg.Hex);
        table.Add(SyscallNumber.ioctl, Ioctl, Arg.Fd, Arg.IoctlRequest, Arg.Hex);
    }

    private static SyscallResult FcntlCall(GuestTask task, in SyscallArguments arguments)
    {
        const int DupFd = 0;
        const int GetFd = 1;
        const int SetFd = 2;
        const int GetFl = 3;
        const int SetFl = 4;
        const int DupFdQuery = 1027;
        const int DupFdCloseOnExec = 1030;
        const int SetPipeSize = 1031;
        const int GetPipeSize = 1032;
        const int AddSeals = 1033;
        const int GetSeals = 1034;
        int fd = arguments.Int(0);
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            int command = arguments.Int(1);
            if (file.IsPath && command is not (DupFd or DupFdCloseOnExec or DupFdQuery or GetFd or SetFd or GetFl))
            {
                return Errno.EBADF;
            }

            switch (command)
            {
                case DupFd or DupFdCloseOnExec:
                    ulong limit = task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current;
                    if (arguments.Int(2) < 0 || (ulong)arguments.Int(2) >= limit)
                    {
                        return Errno.EINVAL;
                    }

                    file.AddReference();
                    return task.Files.Install(file, command == DupFdCloseOnExec, arguments.Int(2), limit).TryGet(out int copy, out errno) ? copy : errno;
                case GetFd:
                    return task.Files.GetCloseOnExec(fd).TryGet(out bool closes, out errno) ? (closes ? 1 : 0) : errno;
                case SetFd:
                    return task.Files.SetCloseOnExec(fd, (arguments.Int(2) & 1) != 0);
                case GetFl:
                    return (int)(file.StatusFlags | (file.IsPath || file.Location is null ? 0 : OpenFlags.O_LARGEFILE));
                case SetFl:
                    OpenFlags settable = OpenFlags.O_APPEND | OpenFlags.O_DIRECT | OpenFlags.O_NOATIME | OpenFlags.O_NONBLOCK | (file.SignalsReadiness ? OpenFlags.FASYNC : 0);
                    OpenFlags wanted = (OpenFlags)arguments.Int(2);
                    if ((wanted & ~file.StatusFlags & OpenFlags.O_NOATIME) != 0 && (file.Inode.GetAttributes(out InodeAttributes attributes) != Errno.None || !FilePermission.IsOwner(task.Credentials, attributes)))
                    {
                        return Errno.EPERM;
                    }

                    AsyncOwners.Switch(task, file, fd, (wanted & OpenFlags.FASYNC) != 0);
                    file.StatusFlags = (file.StatusFlags & ~settable) | (wanted & settable);
                    return SyscallResult.Ok;
                case DupFdQuery:
                    return IsSameDescription(task, file, arguments.Int(2));
                case SetPipeSize:
                    return file is PipeDescription resized ? SetCapacity(resized.Pipe, arguments.UInt(2)) : Errno.EBADF;
                case GetPipeSize:
                    return file is PipeDescription pipe ? pipe.Pipe.Capacity : Errno.EBADF;
                case AddSeals:
                    return !file.CanWrite ? Errno.EPERM
                        : (arguments.UInt(2) & ~(uint)FileSeals.All) != 0 || file.Seals is null ? Errno.EINVAL
                        : file.AddSeals((FileSeals)arguments.Int(2));
                case GetSeals:
                    return file.Seals is { } seals ? (int)seals : Errno.EINVAL;
                default:
                    return AsyncOwners.IsCommand(command) ? AsyncOwners.Run(task, file, command, arguments)
                        : FileLocks.IsCommand(command) ? FileLocks.Run(task, fd, file, command, arguments.Address(2)) : Errno.EINVAL;
            }
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult IsSameDescription(GuestTask task, FileDescription file, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? other, out Errno errno))
        {
            return errno;
        }

        other.Release();
        return other == file ? 1 : 0;
    }

    private static SyscallResult SetCapacity(PipeBuffer pipe, uint size) =>
        size > int.MaxValue + 1u ? Errno.EINVAL : size > PipeBuffer.MaxCapacity ? Errno.EPERM : pipe.SetCapacity((int)size);

    private static SyscallResult Ioctl(GuestTask task, in SyscallArguments arguments)
    {
        const uint NonBlocking = 0x5421; // FIONBIO
        const uint Async = 0x5452; // FIOASYNC
        const uint CloseOnExec = 0x5451; // FIOCLEX
        const uint NoCloseOnExec = 0x5450; // FIONCLEX
        int fd = arguments.Int(0);
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            if (file.IsPath)
            {
                return Errno.EBADF;
            }

            switch (arguments.UInt(1))
            {
                case NonBlocking:
                    errno = task.Memory.Read(arguments.Address(2), out int on);
                    if (errno == Errno.None)
                    {
                        file.StatusFlags = on != 0 ? file.StatusFlags | OpenFlags.O_NONBLOCK : file.StatusFlags & ~OpenFlags.O_NONBLOCK;
                    }

                    return errno;
                case CloseOnExec:
                    return task.Files.SetCloseOnExec(fd, true);
                case NoCloseOnExec:
                    return task.Files.SetCloseOnExec(fd, false);
                case Async:
                    return AsyncOwners.SwitchByRequest(task, file, fd, arguments.Address(2));
                default:
                    return file.Ioctl(task, arguments.UInt(1), arguments[2]);
            }
        }
        finally
        {
            file.Release();
        }
    }
}
