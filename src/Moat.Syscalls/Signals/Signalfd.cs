using Moat.Filesystems.EventFiles;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Signals;

/// <summary>signalfd(2), signalfd4(2).</summary>
internal static class Signalfd
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.signalfd, static (GuestTask task, in SyscallArguments arguments) => Run(task, arguments, 0), Arg.Fd, Arg.SignalSet, Arg.Size);
        table.Add(SyscallNumber.signalfd4, static (GuestTask task, in SyscallArguments arguments) => Run(task, arguments, arguments.Int(3)), Arg.Fd, Arg.SignalSet, Arg.Size, Arg.Hex);
    }

    private static SyscallResult Run(GuestTask task, in SyscallArguments arguments, int flags)
    {
        const ulong SetSize = 8;
        if (arguments.Size(2) != SetSize)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(1), out SignalSet mask);
        if (errno != Errno.None)
        {
            return errno;
        }

        if ((flags & ~(int)(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0)
        {
            return Errno.EINVAL;
        }

        mask -= SignalSet.Unblockable;
        int fd = arguments.Int(0);
        if (fd == -1)
        {
            return Guest.InstallNew(task, new SignalfdDescription((AnonymousFilesystem)task.Kernel.AnonymousFiles, task, mask, (OpenFlags)flags & OpenFlags.O_NONBLOCK), flags);
        }

        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out errno))
        {
            return errno;
        }

        if (file is SignalfdDescription signals)
        {
            signals.SetMask(mask);
        }

        bool isOne = file is SignalfdDescription;
        file.Release();
        return isOne ? fd : Errno.EINVAL;
    }
}
