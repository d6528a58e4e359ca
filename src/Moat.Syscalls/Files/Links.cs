using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>link(2), unlink(2), symlink(2), rename(2), mknod(2) and their *at forms.</summary>
internal static class Links
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.link, Link, Arg.Path, Arg.Path);
        table.Add(SyscallNumber.linkat, LinkAt, Arg.DirFd, Arg.Path, Arg.DirFd, Arg.Path, Arg.Hex);
        table.Add(SyscallNumber.unlink, Unlink, Arg.Path);
        table.Add(SyscallNumber.unlinkat, UnlinkAt, Arg.DirFd, Arg.Path, Arg.AtFlags);
        table.Add(SyscallNumber.symlink, Symlink, Arg.String, Arg.Path);
        table.Add(SyscallNumber.symlinkat, SymlinkAt, Arg.String, Arg.DirFd, Arg.Path);
        table.Add(SyscallNumber.rename, Rename, Arg.Path, Arg.Path);
        table.Add(SyscallNumber.renameat, RenameAt, Arg.DirFd, Arg.Path, Arg.DirFd, Arg.Path);
        table.Add(SyscallNumber.renameat2, RenameAt2, Arg.DirFd, Arg.Path, Arg.DirFd, Arg.Path, Arg.Hex);
        table.Add(SyscallNumber.mknod, Mknod, Arg.Path, Arg.Mode, Arg.Hex);
        table.Add(SyscallNumber.mknodat, MknodAt, Arg.DirFd, Arg.Path, Arg.Mode, Arg.Hex);
    }

    private static SyscallResult Link(GuestTask task, in SyscallArguments arguments) =>
        Make(task, Guest.AtFdCwd, arguments.Address(0), Guest.AtFdCwd, arguments.Address(1), WalkFlags.NoFollow);

    private static SyscallResult LinkAt(GuestTask task, in SyscallArguments arguments)
    {
        const int SymlinkFollow = 0x400;
        int flags = arguments.Int(4);
        if ((flags & ~(SymlinkFollow | Guest.AtEmptyPath)) != 0)
        {
            return Errno.EINVAL;
        }

        WalkFlags walk = ((flags & SymlinkFollow) != 0 ? 0 : WalkFlags.NoFollow) | ((flags & Guest.AtEmptyPath) != 0 ? WalkFlags.EmptyPath : 0);
        return Make(task, arguments.Int(0), arguments.Address(1), arguments.Int(2), arguments.Address(3), walk);
    }

    private static SyscallResult Make(GuestTask task, int oldFd, GuestAddress oldPath, int newFd, GuestAddress newPath, WalkFlags walk)
    {
        if (!Guest.Resolve(task, oldFd, oldPath, walk).TryGet(out PathLocation existing, out Errno errno)
            || (errno = Guest.ReadPath(task, newPath, out ReadOnlySpan<byte> path)) != Errno.None
            || !Guest.StartOf(task, newFd, path).TryGet(out PathLocation start, out errno))
        {
            return errno;
        }

        return FileCreation.Link(task, existing, start, path);
    }

    private static SyscallResult Unlink(GuestTask task, in SyscallArguments arguments) => Remove(task, Guest.AtFdCwd, arguments.Address(0), directory: false);

    private static SyscallResult UnlinkAt(GuestTask task, in SyscallArguments arguments)
    {
        const int RemoveDirectory = 0x200;
        int flags = arguments.Int(2);
        return (flags & ~RemoveDirectory) != 0 ? Errno.EINVAL : Remove(task, arguments.Int(0), arguments.Address(1), flags != 0);
    }

    private static SyscallResult Remove(GuestTask task, int directoryFd, GuestAddress address, bool directory)
    {
        Errno errno = Guest.ReadPath(task, address, out ReadOnlySpan<byte> path);
        if (errno != Errno.None || !Guest.StartOf(task, directoryFd, path).TryGet(out PathLocation start, out errno))
        {
            return errno;
        }

        return directory ? FileCreation.RemoveDirectory(task, start, path) : FileCreation.Unlink(task, start, path);
    }

    private static SyscallResult Symlink(GuestTask task, in SyscallArguments arguments) => MakeSymlink(task, arguments.Address(0), Guest.AtFdCwd, arguments.Address(1));

    private static SyscallResult SymlinkAt(GuestTask task, in SyscallArguments arguments) => MakeSymlink(task, arguments.Address(0), arguments.Int(1), arguments.Address(2));

    private static SyscallResult MakeSymlink(GuestTask task, GuestAddress targetAddress, int directoryFd, GuestAddress address)
    {
        if (!Guest.ReadPath(task, targetAddress).TryGet(out byte[]? target, out Errno errno))
        {
            return errno;
        }

        if (target.Length == 0)
        {
            return Errno.ENOENT;
        }

        errno = Guest.ReadPath(task, address, out ReadOnlySpan<byte> path);
        return errno == Errno.None && Guest.StartOf(task, directoryFd, path).TryGet(out PathLocation start, out errno)
            ? FileCreation.MakeSymlink(task, start, path, target)
            : errno;
    }

    private static SyscallResult Rename(GuestTask task, in SyscallArguments arguments) => Move(task, Guest.AtFdCwd, arguments.Address(0), Guest.AtFdCwd, arguments.Address(1), 0);

    private static SyscallResult RenameAt(GuestTask task, in SyscallArguments arguments) => Move(task, arguments.Int(0), arguments.Address(1), arguments.Int(2), arguments.Address(3), 0);

    private static SyscallResult RenameAt2(GuestTask task, in SyscallArguments arguments) =>
        Move(task, arguments.Int(0), arguments.Address(1), arguments.Int(2), arguments.Address(3), arguments.UInt(4));

    private static SyscallResult Move(GuestTask task, int oldFd, GuestAddress oldAddress, int newFd, GuestAddress newAddress, uint flags)
    {
        const uint NoReplace = 1;
        const uint Exchange = 2;
        if ((flags & ~(NoReplace | Exchange)) != 0 || flags == (NoReplace | Exchange))
        {
            return Errno.EINVAL;
        }

        if (!Guest.ReadPath(task, oldAddress).TryGet(out byte[]? oldPath, out Errno errno) || !Guest.StartOf(task, oldFd, oldPath).TryGet(out PathLocation oldStart, out errno)
            || (errno = Guest.ReadPath(task, newAddress, out ReadOnlySpan<byte> newPath)) != Errno.None || !Guest.StartOf(task, newFd, newPath).TryGet(out PathLocation newStart, out errno))
        {
            return errno;
        }

        return FileCreation.Rename(task, oldStart, oldPath, newStart, newPath, flags == NoReplace, flags == Exchange);
    }

    private static SyscallResult Mknod(GuestTask task, in SyscallArguments arguments) => MakeNode(task, Guest.AtFdCwd, arguments.Address(0), arguments.UInt(1), arguments.UInt(2));

    private static SyscallResult MknodAt(GuestTask task, in SyscallArguments arguments) => MakeNode(task, arguments.Int(0), arguments.Address(1), arguments.UInt(2), arguments.UInt(3));

    private static SyscallResult MakeNode(GuestTask task, int directoryFd, GuestAddress address, uint rawMode, uint device)
    {
        Mode mode = (Mode)rawMode & (Mode.S_IFMT | Mode.PermissionMask);
        mode |= (mode & Mode.S_IFMT) == 0 ? Mode.S_IFREG : 0;
        if ((mode & Mode.S_IFMT) is not (Mode.S_IFREG or Mode.S_IFCHR or Mode.S_IFBLK or Mode.S_IFIFO or Mode.S_IFSOCK))
        {
            return (mode & Mode.S_IFMT) == Mode.S_IFDIR ? Errno.EPERM : Errno.EINVAL;
        }

        Errno errno = Guest.ReadPath(task, address, out ReadOnlySpan<byte> path);
        return errno == Errno.None && Guest.StartOf(task, directoryFd, path).TryGet(out PathLocation start, out errno)
            ? FileCreation.Make(task, start, path, mode, new DeviceNumber(device))
            : errno;
    }
}
