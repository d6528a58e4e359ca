using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>open(2), openat(2), openat2(2), creat(2), close(2), close_range(2), dup(2) and its kin.</summary>
internal static class Open
{
    // What open(2) knows; it ignores other bits.
    private const OpenFlags Known = (OpenFlags)0x7fffc3;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.open, OpenCall, Arg.Path, Arg.OpenFlags, Arg.Mode);
        table.Add(SyscallNumber.openat, OpenAt, Arg.DirFd, Arg.Path, Arg.OpenFlags, Arg.Mode);
        table.Add(SyscallNumber.openat2, OpenAt2, Arg.DirFd, Arg.Path, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.creat, Creat, Arg.Path, Arg.Mode);
        table.Add(SyscallNumber.close, Close, Arg.Fd);
        table.Add(SyscallNumber.close_range, CloseRange, Arg.UInt, Arg.UInt, Arg.Hex);
        table.Add(SyscallNumber.dup, Dup, Arg.Fd);
        table.Add(SyscallNumber.dup2, Dup2, Arg.Fd, Arg.Fd);
        table.Add(SyscallNumber.dup3, Dup3, Arg.Fd, Arg.Fd, Arg.OpenFlags);
    }

    /// <summary>Opens and installs.</summary>
    private static SyscallResult Run(GuestTask task, int directoryFd, GuestAddress address, OpenFlags flags, Mode mode, WalkFlags walk = WalkFlags.None)
    {
        Errno errno = Guest.ReadPath(task, address, out ReadOnlySpan<byte> path);
        if (errno != Errno.None || !Guest.StartOf(task, directoryFd, path, (walk & WalkFlags.InRoot) != 0).TryGet(out PathLocation start, out errno))
        {
            return errno;
        }

        if ((flags & (OpenFlags.O_CREAT | OpenFlags.O_DIRECTORY)) == (OpenFlags.O_CREAT | OpenFlags.O_DIRECTORY) && (flags & OpenFlags.O_TMPFILE) != OpenFlags.O_TMPFILE)
        {
            return Errno.EINVAL;
        }

        if (!FileOpener.Open(task, start, path, flags & Known, mode, walk).TryGet(out FileDescription? file, out errno))
        {
            return errno;
        }

        return task.Files.Install(file, (flags & OpenFlags.O_CLOEXEC) != 0, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out errno) ? fd : errno;
    }

    private static SyscallResult OpenCall(GuestTask task, in SyscallArguments arguments) =>
        Run(task, Guest.AtFdCwd, arguments.Address(0), (OpenFlags)arguments.Int(1), (Mode)arguments.UInt(2));

    private static SyscallResult OpenAt(GuestTask task, in SyscallArguments arguments) =>
        Run(task, arguments.Int(0), arguments.Address(1), (OpenFlags)arguments.Int(2), (Mode)arguments.UInt(3));

    private static SyscallResult Creat(GuestTask task, in SyscallArguments arguments) =>
        Run(task, Guest.AtFdCwd, arguments.Address(0), OpenFlags.O_CREAT | OpenFlags.O_WRONLY | OpenFlags.O_TRUNC, (Mode)arguments.UInt(1));

    private static SyscallResult OpenAt2(GuestTask task, in SyscallArguments arguments)
    {
        const ulong HowSize = 24;
        const ulong KnownResolve = 0x3f;
        Span<ulong> how = stackalloc ulong[3];
        how.Clear();
        Errno errno = Guest.ReadExtensible(task, arguments.Address(2), arguments.Size(3), HowSize, System.Runtime.InteropServices.MemoryMarshal.AsBytes(how));
        if (errno != Errno.None)
        {
            return errno;
        }

        bool creates = (how[0] & ((ulong)OpenFlags.O_CREAT | 0x400000)) != 0;
        if ((how[0] & ~(ulong)Known) != 0 || (how[2] & ~KnownResolve) != 0 || (how[1] != 0 && !creates) || (how[1] & ~0xfffUL) != 0 || (how[2] & 0x18) == 0x18)
        {
            return Errno.EINVAL;
        }

        const ulong OfPaths = (ulong)(OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW | OpenFlags.O_CLOEXEC);
        if ((how[0] & (ulong)OpenFlags.O_PATH) != 0 && (how[0] & ~OfPaths) != 0)
        {
            return Errno.EINVAL;
        }

        WalkFlags walk = ((how[2] & 1) != 0 ? WalkFlags.NoXdev : 0) | ((how[2] & 2) != 0 ? WalkFlags.NoMagicLinks : 0) | ((how[2] & 4) != 0 ? WalkFlags.NoSymlinks : 0)
            | ((how[2] & 8) != 0 ? WalkFlags.Beneath : 0) | ((how[2] & 16) != 0 ? WalkFlags.InRoot : 0);
        return (how[2] & 32) != 0 ? Errno.EAGAIN : Run(task, arguments.Int(0), arguments.Address(1), (OpenFlags)how[0], (Mode)how[1], walk);
    }

    private static SyscallResult Close(GuestTask task, in SyscallArguments arguments) => task.Files.Close(task, arguments.Int(0));

    private static SyscallResult CloseRange(GuestTask task, in SyscallArguments arguments)
    {
        const uint Unshare = 2;
        const uint CloseOnExec = 4;
        uint first = arguments.UInt(0);
        uint last = arguments.UInt(1);
        uint flags = arguments.UInt(2);
        if ((flags & ~(Unshare | CloseOnExec)) != 0 || first > last)
        {
            return Errno.EINVAL;
        }

        if ((flags & Unshare) != 0 && task.Files.IsShared)
        {
            FdTable own = task.Files.Fork();
            task.Files.RemoveUser(task);
            task.Files = own;
        }

        if (first > int.MaxValue)
        {
            return SyscallResult.Ok;
        }

        int end = (int)Math.Min(last, int.MaxValue);
        if ((flags & CloseOnExec) != 0)
        {
            foreach (int fd in task.Files.ListOpen())
            {
                if (fd >= (int)first && fd <= end)
                {
                    task.Files.SetCloseOnExec(fd, true);
                }
            }

            return SyscallResult.Ok;
        }

        task.Files.CloseRange(task, (int)first, end, static (_, _) => true);
        return SyscallResult.Ok;
    }

    private static SyscallResult Dup(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        return task.Files.Install(file, false, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out errno) ? fd : errno;
    }

    private static SyscallResult Dup2(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Int(0) == arguments.Int(1))
        {
            return task.Files.GetCloseOnExec(arguments.Int(0)).TryGet(out _, out Errno errno) ? arguments.Int(1) : errno;
        }

        return DupTo(task, arguments.Int(0), arguments.Int(1), closeOnExec: false);
    }

    private static SyscallResult Dup3(GuestTask task, in SyscallArguments arguments)
    {
        OpenFlags flags = (OpenFlags)arguments.Int(2);
        return (flags & ~OpenFlags.O_CLOEXEC) != 0 || arguments.Int(0) == arguments.Int(1)
            ? Errno.EINVAL
            : DupTo(task, arguments.Int(0), arguments.Int(1), (flags & OpenFlags.O_CLOEXEC) != 0);
    }

    private static SyscallResult DupTo(GuestTask task, int from, int to, bool closeOnExec)
    {
        if (!task.Files.Get(from).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = task.Files.InstallAt(task, to, file, closeOnExec, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current);
        return errno != Errno.None ? errno : to;
    }
}
