using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Files;

/// <summary>stat(2), fstat(2), lstat(2), newfstatat(2), statx(2), statfs(2), fstatfs(2), access(2), faccessat(2), faccessat2(2), readlink(2), readlinkat(2).</summary>
internal static class Stat
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.stat, StatCall, Arg.Path, Arg.StatOut);
        table.Add(SyscallNumber.lstat, Lstat, Arg.Path, Arg.StatOut);
        table.Add(SyscallNumber.fstat, Fstat, Arg.Fd, Arg.StatOut);
        table.Add(SyscallNumber.newfstatat, FstatAt, Arg.DirFd, Arg.Path, Arg.StatOut, Arg.AtFlags);
        table.Add(SyscallNumber.statx, Statx, Arg.DirFd, Arg.Path, Arg.AtFlags, Arg.Hex, Arg.Pointer);
        table.Add(SyscallNumber.statfs, Statfs, Arg.Path, Arg.Pointer);
        table.Add(SyscallNumber.fstatfs, Fstatfs, Arg.Fd, Arg.Pointer);
        table.Add(SyscallNumber.access, Access, Arg.Path, Arg.AccessMode);
        table.Add(SyscallNumber.faccessat, FaccessAt, Arg.DirFd, Arg.Path, Arg.AccessMode);
        table.Add(SyscallNumber.faccessat2, FaccessAt2, Arg.DirFd, Arg.Path, Arg.AccessMode, Arg.AtFlags);
        table.Add(SyscallNumber.readlink, Readlink, Arg.Path, Arg.BufferOut, Arg.Size);
        table.Add(SyscallNumber.readlinkat, ReadlinkAt, Arg.DirFd, Arg.Path, Arg.BufferOut, Arg.Size);
    }

    private static SyscallResult StatCall(GuestTask task, in SyscallArguments arguments) => ByPath(task, Guest.AtFdCwd, arguments.Address(0), arguments.Address(1), WalkFlags.None);

    private static SyscallResult Lstat(GuestTask task, in SyscallArguments arguments) => ByPath(task, Guest.AtFdCwd, arguments.Address(0), arguments.Address(1), WalkFlags.NoFollow);

    private static SyscallResult Fstat(GuestTask task, in SyscallArguments arguments) =>
        AttributesOf(task, arguments.Int(0), out InodeAttributes attributes) is var errno and not Errno.None ? errno : Write(task, arguments.Address(1), attributes);

    private static SyscallResult FstatAt(GuestTask task, in SyscallArguments arguments)
    {
        const int NoAutomount = 0x800;
        int flags = arguments.Int(3);
        if ((flags & ~(Guest.AtSymlinkNoFollow | Guest.AtEmptyPath | NoAutomount)) != 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = Find(task, arguments.Int(0), arguments.Address(1), flags, out InodeAttributes attributes);
        return errno != Errno.None ? errno : Write(task, arguments.Address(2), attributes);
    }

    private static SyscallResult Statx(GuestTask task, in SyscallArguments arguments)
    {
        const int SyncFlags = 0x6000;
        const uint Reserved = 0x80000000;
        int flags = arguments.Int(2);
        if ((flags & ~(Guest.AtSymlinkNoFollow | Guest.AtEmptyPath | 0x800 | SyncFlags)) != 0 || (flags & SyncFlags) == SyncFlags || (arguments.UInt(3) & Reserved) != 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = Find(task, arguments.Int(0), arguments.Address(1), flags, out InodeAttributes attributes);
        return errno != Errno.None ? errno : task.Memory.Write(arguments.Address(4), StatxBuffer.From(attributes));
    }

    private static SyscallResult Statfs(GuestTask task, in SyscallArguments arguments) =>
        Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0)).TryGet(out PathLocation location, out Errno errno) ? WriteStatistics(task, arguments.Address(1), location.Mount) : errno;

    private static SyscallResult Fstatfs(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        Mount? mount = file.Location?.Mount;
        Filesystem filesystem = file.Inode.Filesystem;
        file.Release();
        return WriteStatistics(task, arguments.Address(1), filesystem, mount?.Flags ?? MountFlags.None);
    }

    private static SyscallResult Access(GuestTask task, in SyscallArguments arguments) => CheckAccess(task, Guest.AtFdCwd, arguments.Address(0), arguments.Int(1), 0);

    private static SyscallResult FaccessAt(GuestTask task, in SyscallArguments arguments) => CheckAccess(task, arguments.Int(0), arguments.Address(1), arguments.Int(2), 0);

    private static SyscallResult FaccessAt2(GuestTask task, in SyscallArguments arguments) => CheckAccess(task, arguments.Int(0), arguments.Address(1), arguments.Int(2), arguments.Int(3));

    private static SyscallResult Readlink(GuestTask task, in SyscallArguments arguments) =>
        ReadTarget(task, Guest.AtFdCwd, arguments.Address(0), arguments.Address(1), arguments.Int(2));

    private static SyscallResult ReadlinkAt(GuestTask task, in SyscallArguments arguments) =>
        ReadTarget(task, arguments.Int(0), arguments.Address(1), arguments.Address(2), arguments.Int(3));

    private static SyscallResult ReadTarget(GuestTask task, int directoryFd, GuestAddress path, GuestAddress buffer, int size)
    {
        if (size <= 0)
        {
            return Errno.EINVAL;
        }

        if (!Guest.Resolve(task, directoryFd, path, WalkFlags.NoFollow | WalkFlags.EmptyPath).TryGet(out PathLocation location, out Errno errno))
        {
            return errno;
        }

        if (location.Inode.FileType != Mode.S_IFLNK)
        {
            return task.Memory.Read(path, out byte first) == Errno.None && first == 0 ? Errno.ENOENT : Errno.EINVAL;
        }

        if (!location.Inode.ReadSymlink(task).TryGet(out byte[]? target, out errno))
        {
            return errno;
        }

        int count = Math.Min(size, target.Length);
        errno = task.Memory.CopyOut(buffer, target.AsSpan(0, count));
        return errno != Errno.None ? errno : count;
    }

    private static SyscallResult CheckAccess(GuestTask task, int directoryFd, GuestAddress path, int mode, int flags)
    {
        const int EffectiveIds = 0x200;
        if ((mode & ~7) != 0 || (flags & ~(EffectiveIds | Guest.AtSymlinkNoFollow | Guest.AtEmptyPath)) != 0)
        {
            return Errno.EINVAL;
        }

        if (!Guest.Resolve(task, directoryFd, path, Guest.WalkFlagsOf(flags)).TryGet(out PathLocation location, out Errno errno))
        {
            return errno;
        }

        TaskCredentials who = task.Credentials;
        CapabilitySet capabilities = who.RealUid == 0 ? who.Permitted : default;
        if ((flags & EffectiveIds) == 0 && (who.FilesystemUid != who.RealUid || who.FilesystemGid != who.RealGid || who.Effective != capabilities))
        {
            // The real ids count, with what capabilities such a user would have (access(2)).
            who = who with { FilesystemUid = who.RealUid, FilesystemGid = who.RealGid, Effective = capabilities };
        }

        MemoryAccess access = ((mode & 4) != 0 ? MemoryAccess.Read : 0) | ((mode & 2) != 0 ? MemoryAccess.Write : 0) | ((mode & 1) != 0 ? MemoryAccess.Execute : 0);
        return FilePermission.Check(who, location, access);
    }

    private static SyscallResult ByPath(GuestTask task, int directoryFd, GuestAddress path, GuestAddress buffer, WalkFlags flags)
    {
        Errno errno = Guest.ReadPath(task, path, out ReadOnlySpan<byte> text);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = Find(task, directoryFd, text, flags, out InodeAttributes attributes);
        return errno != Errno.None ? errno : Write(task, buffer, attributes);
    }

    private static Errno Find(GuestTask task, int directoryFd, GuestAddress address, int flags, out InodeAttributes attributes)
    {
        attributes = default;
        bool emptyAllowed = (flags & Guest.AtEmptyPath) != 0;
        ReadOnlySpan<byte> path = default;
        if (!(emptyAllowed && address.IsNull) && Guest.ReadPath(task, address, out path) is var unreadable and not Errno.None)
        {
            return unreadable;
        }

        if (path.IsEmpty && emptyAllowed && directoryFd != Guest.AtFdCwd)
        {
            return AttributesOf(task, directoryFd, out attributes);
        }

        return Find(task, directoryFd, path, Guest.WalkFlagsOf(flags), out attributes);
    }

    private static Errno Find(GuestTask task, int directoryFd, ReadOnlySpan<byte> path, WalkFlags flags, out InodeAttributes attributes)
    {
        attributes = default;
        return !Guest.StartOf(task, directoryFd, path).TryGet(out PathLocation start, out Errno errno)
            || !PathWalker.Resolve(task, start, path, flags, null, out bool isFresh).TryGet(out PathLocation location, out errno) ? errno
            : isFresh ? location.Inode.GetWalkedAttributes(out attributes) : location.Inode.GetAttributes(out attributes);
    }

    private static Errno AttributesOf(GuestTask task, int fd, out InodeAttributes attributes)
    {
        attributes = default;
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.Inode.GetAttributes(out attributes);
        file.Release();
        return errno;
    }

    private static SyscallResult Write(GuestTask task, GuestAddress buffer, in InodeAttributes attributes) => task.Memory.Write(buffer, StatBuffer.From(attributes));

    private static SyscallResult WriteStatistics(GuestTask task, GuestAddress buffer, Mount mount) => WriteStatistics(task, buffer, mount.Filesystem, mount.Flags);

    private static SyscallResult WriteStatistics(GuestTask task, GuestAddress buffer, Filesystem filesystem, MountFlags flags)
    {
        Errno errno = filesystem.GetStatistics(out FilesystemStatistics statistics);
        return errno != Errno.None ? errno : task.Memory.Write(buffer, StatfsBuffer.From(statistics, flags));
    }
}
