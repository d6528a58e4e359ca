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
        const int DupFdCloseOnExec = 1030;
        int fd = arguments.Int(0);
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            int command = arguments.Int(1);
            if (file.IsPath && command is not (DupFd or DupFdCloseOnExec or GetFd or SetFd or GetFl))
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
                    return (int)(file.StatusFlags | OpenFlags.O_LARGEFILE);
                case SetFl:
                    const OpenFlags Settable = OpenFlags.O_APPEND | OpenFlags.FASYNC | OpenFlags.O_DIRECT | OpenFlags.O_NOATIME | OpenFlags.O_NONBLOCK;
                    file.StatusFlags = (file.StatusFlags & ~Settable) | ((OpenFlags)arguments.Int(2) & Settable);
                    return SyscallResult.Ok;
                default:
                    return Errno.EINVAL;
            }
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult Ioctl(GuestTask task, in SyscallArguments arguments)
    {
        const uint NonBlocking = 0x5421; // FIONBIO
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
