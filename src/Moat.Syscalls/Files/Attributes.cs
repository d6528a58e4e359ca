using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Files;

/// <summary>chmod(2), chown(2), utimensat(2), truncate(2), umask(2), fsync(2) and their kin.</summary>
internal static class Attributes
{
    private const long Now = 0x3fffffff; // UTIME_NOW
    private const long Omit = 0x3ffffffe; // UTIME_OMIT

    private static Timespec NowTime => new(0, Now);

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.chmod, Chmod, Arg.Path, Arg.Mode);
        table.Add(SyscallNumber.fchmod, Fchmod, Arg.Fd, Arg.Mode);
        table.Add(SyscallNumber.fchmodat, FchmodAt, Arg.DirFd, Arg.Path, Arg.Mode);
        table.Add(SyscallNumber.fchmodat2, FchmodAt2, Arg.DirFd, Arg.Path, Arg.Mode, Arg.Hex);
        table.Add(SyscallNumber.chown, Chown, Arg.Path, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.lchown, Lchown, Arg.Path, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.fchown, Fchown, Arg.Fd, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.fchownat, FchownAt, Arg.DirFd, Arg.Path, Arg.Uid, Arg.Uid, Arg.Hex);
        table.Add(SyscallNumber.utimensat, UtimensAt, Arg.DirFd, Arg.Path, Arg.Pointer, Arg.Hex);
        table.Add(SyscallNumber.futimesat, FutimesAt, Arg.DirFd, Arg.Path, Arg.Pointer);
        table.Add(SyscallNumber.utimes, Utimes, Arg.Path, Arg.Pointer);
        table.Add(SyscallNumber.utime, Utime, Arg.Path, Arg.Pointer);
        table.Add(SyscallNumber.truncate, Truncate, Arg.Path, Arg.Offset);
        table.Add(SyscallNumber.ftruncate, Ftruncate, Arg.Fd, Arg.Offset);
        table.Add(SyscallNumber.fallocate, Fallocate, Arg.Fd, Arg.Hex, Arg.Offset, Arg.Offset);
        table.Add(SyscallNumber.umask, Umask, Arg.Octal);
        table.Add(SyscallNumber.fsync, Fsync, Arg.Fd);
        table.Add(SyscallNumber.fdatasync, Fdatasync, Arg.Fd);
        table.Add(SyscallNumber.sync, Sync);
        table.Add(SyscallNumber.syncfs, SyncFilesystem, Arg.Fd);
        table.Add(SyscallNumber.sync_file_range, SyncFileRange, Arg.Fd, Arg.Offset, Arg.Offset, Arg.Hex);
    }

    private static SyscallResult Chmod(GuestTask task, in SyscallArguments arguments) => SetMode(task, Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0)), arguments.UInt(1));

    private static SyscallResult Fchmod(GuestTask task, in SyscallArguments arguments) => WithFile(task, arguments.Int(0), arguments.UInt(1), static (task, location, inode, mode) => ChangeMode(task, location, inode, mode));

    private static SyscallResult FchmodAt(GuestTask task, in SyscallArguments arguments) => SetMode(task, Guest.Resolve(task, arguments.Int(0), arguments.Address(1)), arguments.UInt(2));

    private static SyscallResult FchmodAt2(GuestTask task, in SyscallArguments arguments)
    {
        int flags = arguments.Int(3);
        if ((flags & ~(Guest.AtSymlinkNoFollow | Guest.AtEmptyPath)) != 0)
        {
            return Errno.EINVAL;
        }

        Result<PathLocation> found = Guest.Resolve(task, arguments.Int(0), arguments.Address(1), Guest.WalkFlagsOf(flags));
        return found.IsOk && found.Value.Inode.FileType == Mode.S_IFLNK ? Errno.EOPNOTSUPP : SetMode(task, found, arguments.UInt(2));
    }

    private static SyscallResult SetMode(GuestTask task, Result<PathLocation> found, uint mode) =>
        found.TryGet(out PathLocation location, out Errno errno) ? ChangeMode(task, location, location.Inode, mode) : errno;

    private static Errno ChangeMode(GuestTask task, PathLocation? location, Inode inode, uint mode)
    {
        Errno errno = CheckWritable(location);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = inode.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!FilePermission.IsOwner(task.Credentials, attributes))
        {
            return Errno.EPERM;
        }

        Mode permissions = (Mode)mode & Mode.PermissionMask;
        if (!task.Credentials.IsInGroup(attributes.Gid) && !task.Credentials.HasCapability(Capability.CAP_FSETID))
        {
            permissions &= ~Mode.S_ISGID;
        }

        return Change(task, location, inode, new AttributeChange { Permissions = permissions });
    }

    private static SyscallResult Chown(GuestTask task, in SyscallArguments arguments) =>
        SetOwner(task, Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0)), arguments.UInt(1), arguments.UInt(2));

    private static SyscallResult Lchown(GuestTask task, in SyscallArguments arguments) =>
        SetOwner(task, Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0), WalkFlags.NoFollow), arguments.UInt(1), arguments.UInt(2));

    private static SyscallResult Fchown(GuestTask task, in SyscallArguments arguments)
    {
        ulong ids = ((ulong)arguments.UInt(1) << 32) | arguments.UInt(2);
        return WithFile(task, arguments.Int(0), ids, static (task, location, inode, ids) => ChangeOwner(task, location, inode, (uint)(ids >> 32), (uint)ids));
    }

    private static SyscallResult FchownAt(GuestTask task, in SyscallArguments arguments) =>
        (arguments.Int(4) & ~(Guest.AtSymlinkNoFollow | Guest.AtEmptyPath)) != 0
            ? Errno.EINVAL
            : SetOwner(task, Guest.Resolve(task, arguments.Int(0), arguments.Address(1), Guest.WalkFlagsOf(arguments.Int(4))), arguments.UInt(2), arguments.UInt(3));

    private static SyscallResult SetOwner(GuestTask task, Result<PathLocation> found, uint uid, uint gid) =>
        found.TryGet(out PathLocation location, out Errno errno) ? ChangeOwner(task, location, location.Inode, uid, gid) : errno;

    private static Errno ChangeOwner(GuestTask task, PathLocation? location, Inode inode, uint uid, uint gid)
    {
        Errno errno = CheckWritable(location);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = inode.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        TaskCredentials who = task.Credentials;
        bool privileged = who.HasCapability(Capability.CAP_CHOWN);
        bool uidAllowed = uid == uint.MaxValue || privileged || (uid == attributes.Uid && who.FilesystemUid == attributes.Uid);
        bool gidAllowed = gid == uint.MaxValue || privileged || (who.FilesystemUid == attributes.Uid && (gid == attributes.Gid || who.IsInGroup(gid)));
        if (!uidAllowed || !gidAllowed)
        {
            return Errno.EPERM;
        }

        // A changed owner takes the set-id bits of a file (chown(2)).
        Mode permissions = attributes.Mode & Mode.PermissionMask;
        Mode kept = inode.IsDirectory ? permissions : FilePermission.WithoutSetId(permissions);
        return Change(task, location, inode, new AttributeChange
        {
            Uid = uid == uint.MaxValue ? null : uid,
            Gid = gid == uint.MaxValue ? null : gid,
            Permissions = kept == permissions || (uid == uint.MaxValue && gid == uint.MaxValue) ? null : kept,
        });
    }

    private static SyscallResult UtimensAt(GuestTask task, in SyscallArguments arguments)
    {
        if ((arguments.Int(3) & ~(Guest.AtSymlinkNoFollow | Guest.AtEmptyPath)) != 0)
        {
            return Errno.EINVAL;
        }

        if (arguments.Address(2).IsNull)
        {
            return SetTimes(task, arguments.Int(0), arguments.Address(1), arguments.Int(3), NowTime, NowTime);
        }

        Span<Timespec> times = stackalloc Timespec[2];
        Errno errno = task.Memory.CopyIn(arguments.Address(2), System.Runtime.InteropServices.MemoryMarshal.AsBytes(times));
        return errno != Errno.None ? errno : SetTimes(task, arguments.Int(0), arguments.Address(1), arguments.Int(3), times[0], times[1]);
    }

    private static SyscallResult FutimesAt(GuestTask task, in SyscallArguments arguments) => SetTimevals(task, arguments.Int(0), arguments.Address(1), arguments.Address(2));

    private static SyscallResult Utimes(GuestTask task, in SyscallArguments arguments) => SetTimevals(task, Guest.AtFdCwd, arguments.Address(0), arguments.Address(1));

    // Two struct timeval: microseconds.
    private static SyscallResult SetTimevals(GuestTask task, int directoryFd, GuestAddress path, GuestAddress address)
    {
        if (address.IsNull)
        {
            return SetTimes(task, directoryFd, path, 0, NowTime, NowTime);
        }

        Span<long> times = stackalloc long[4];
        Errno errno = task.Memory.CopyIn(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(times));
        if (errno != Errno.None)
        {
            return errno;
        }

        return (ulong)times[1] >= 1_000_000 || (ulong)times[3] >= 1_000_000
            ? Errno.EINVAL
            : SetTimes(task, directoryFd, path, 0, new Timespec(times[0], times[1] * 1000), new Timespec(times[2], times[3] * 1000));
    }

    private static SyscallResult Utime(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Address(1).IsNull)
        {
            return SetTimes(task, Guest.AtFdCwd, arguments.Address(0), 0, NowTime, NowTime);
        }

        Span<long> times = stackalloc long[2];
        Errno errno = task.Memory.CopyIn(arguments.Address(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes(times));
        return errno != Errno.None ? errno : SetTimes(task, Guest.AtFdCwd, arguments.Address(0), 0, new Timespec(times[0], 0), new Timespec(times[1], 0));
    }

    // The nanoseconds may be UTIME_NOW and UTIME_OMIT; a null path means the descriptor itself.
    private static SyscallResult SetTimes(GuestTask task, int directoryFd, GuestAddress path, int flags, Timespec first, Timespec second)
    {
        Timespec now = Timespec.FromNanoseconds(task.Kernel.Clock.RealtimeNs);
        if ((first.Nanoseconds is not (Now or Omit) && (ulong)first.Nanoseconds > 999_999_999) || (second.Nanoseconds is not (Now or Omit) && (ulong)second.Nanoseconds > 999_999_999))
        {
            return Errno.EINVAL;
        }

        Timespec? accessed = first.Nanoseconds switch { Now => now, Omit => null, _ => first };
        Timespec? modified = second.Nanoseconds switch { Now => now, Omit => null, _ => second };
        bool explicitTimes = first.Nanoseconds != Now || second.Nanoseconds != Now;
        if (accessed is null && modified is null)
        {
            return SyscallResult.Ok;
        }

        PathLocation? location;
        Inode inode;
        if (path.IsNull)
        {
            if (!task.Files.Get(directoryFd).TryGet(out FileDescription? file, out Errno failure))
            {
                return failure;
            }

            (location, inode) = (file.Location, file.Inode);
            file.Release();
        }
        else if (Guest.Resolve(task, directoryFd, path, Guest.WalkFlagsOf(flags)).TryGet(out PathLocation found, out Errno failure))
        {
            (location, inode) = (found, found.Inode);
        }
        else
        {
            return failure;
        }

        Errno errno = CheckWritable(location);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = inode.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!FilePermission.IsOwner(task.Credentials, attributes))
        {
            if (explicitTimes)
            {
                return Errno.EPERM;
            }

            errno = location is { } place ? FilePermission.Check(task, place, MemoryAccess.Write) : Errno.None;
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return Change(task, location, inode, new AttributeChange { AccessTime = accessed, ModifyTime = modified });
    }

    private static SyscallResult Truncate(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Long(1) < 0)
        {
            return Errno.EINVAL;
        }

        if (!Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0)).TryGet(out PathLocation location, out Errno errno))
        {
            return errno;
        }

        if (location.Inode.FileType != Mode.S_IFREG)
        {
            return location.Inode.IsDirectory ? Errno.EISDIR : Errno.EINVAL;
        }

        errno = FilePermission.Check(task, location, MemoryAccess.Write);
        if (errno != Errno.None || !location.Inode.TryAddWriter())
        {
            return errno != Errno.None ? errno : Errno.ETXTBSY;
        }

        errno = Resize(task, location, location.Inode, arguments.Long(1));
        location.Inode.RemoveWriter();
        return errno;
    }

    private static SyscallResult Ftruncate(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Long(1) < 0)
        {
            return Errno.EINVAL;
        }

        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF
            : !file.CanWrite || file.Inode.FileType != Mode.S_IFREG ? Errno.EINVAL
            : Resize(task, file.Location, file.Inode, arguments.Long(1));
        file.Release();
        return errno;
    }

    // A changed size takes the set-id bits of a file, as a write does (truncate(2)).
    private static Errno Resize(GuestTask task, PathLocation? location, Inode inode, long size)
    {
        Errno errno = FileSizeLimit.Check(task, inode, size);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = inode.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        Mode permissions = attributes.Mode & Mode.PermissionMask;
        Mode kept = task.Credentials.HasCapability(Capability.CAP_FSETID) ? permissions : FilePermission.WithoutSetId(permissions);
        return Change(task, location, inode, new AttributeChange { Size = size, Permissions = kept == permissions ? null : kept });
    }

    private static SyscallResult Fallocate(GuestTask task, in SyscallArguments arguments)
    {
        const int KeepSize = 1;
        const int PunchHole = 2;
        const int CollapseRange = 8;
        const int ZeroRange = 0x10;
        const int InsertRange = 0x20;
        const int UnshareRange = 0x40;
        (int mode, long offset, long length) = (arguments.Int(1), arguments.Long(2), arguments.Long(3));
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            if (file.IsPath)
            {
                return Errno.EBADF;
            }

            if (offset < 0 || length <= 0)
            {
                return Errno.EINVAL;
            }

            bool isKnown = (mode & ~KeepSize) switch
            {
                0 or ZeroRange or UnshareRange => true,
                PunchHole => (mode & KeepSize) != 0,
                CollapseRange or InsertRange => (mode & KeepSize) == 0,
                _ => false,
            };
            if (!isKnown)
            {
                return Errno.EOPNOTSUPP;
            }

            errno = !file.CanWrite ? Errno.EBADF
                : file.Inode.FileType == Mode.S_IFIFO ? Errno.ESPIPE
                : file.Inode.IsDirectory ? Errno.EISDIR
                : file.Inode.FileType != Mode.S_IFREG ? Errno.ENODEV
                : offset > long.MaxValue - length ? Errno.EFBIG
                : (mode & KeepSize) == 0 ? FileSizeLimit.Check(task, file.Inode, offset + length) : Errno.None;
            errno = errno == Errno.None ? file.Allocate(task, mode, offset, length) : errno;
            if (errno == Errno.None)
            {
                FileEvents.Report(file.Location, InotifyMask.IN_MODIFY);
            }

            return errno;
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult Umask(GuestTask task, in SyscallArguments arguments)
    {
        Mode before = task.Fs.Umask;
        task.Fs.Umask = (Mode)(arguments.UInt(0) & 0x1ff);
        return (int)before;
    }

    private static SyscallResult Fsync(GuestTask task, in SyscallArguments arguments) => SyncFile(task, arguments.Int(0), dataOnly: false);

    private static SyscallResult Fdatasync(GuestTask task, in SyscallArguments arguments) => SyncFile(task, arguments.Int(0), dataOnly: true);

    private static SyscallResult SyncFile(GuestTask task, int fd, bool dataOnly)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF : file.Sync(dataOnly);
        file.Release();
        return errno;
    }

    private static SyscallResult Sync(GuestTask task, in SyscallArguments arguments)
    {
        foreach (Mount mount in task.Fs.MountNamespace.List())
        {
            mount.Filesystem.Sync();
        }

        return SyscallResult.Ok;
    }

    private static SyscallResult SyncFilesystem(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF : file.Inode.Filesystem.Sync();
        file.Release();
        return errno;
    }

    // sync_file_range(2): what it starts or waits for, a full fdatasync does as well.
    private static SyscallResult SyncFileRange(GuestTask task, in SyscallArguments arguments)
    {
        const uint Known = 7;
        (long offset, long length, uint flags) = (arguments.Long(1), arguments.Long(2), arguments.UInt(3));
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF
            : (flags & ~Known) != 0 || offset < 0 || length < 0 || offset > long.MaxValue - length ? Errno.EINVAL
            : file.Inode.FileType is not (Mode.S_IFREG or Mode.S_IFBLK or Mode.S_IFDIR or Mode.S_IFLNK) ? Errno.ESPIPE
            : flags == 0 ? Errno.None : file.Sync(dataOnly: true);
        file.Release();
        return errno;
    }

    private static Errno Change(GuestTask task, PathLocation? location, Inode inode, in AttributeChange change)
    {
        Errno errno = inode.SetAttributes(task, change);
        if (errno == Errno.None)
        {
            FileEvents.ReportChange(location, change);
        }

        return errno;
    }

    private static Errno CheckWritable(PathLocation? location) => location is { Mount.IsReadOnly: true } ? Errno.EROFS : Errno.None;

    private static SyscallResult WithFile<T>(GuestTask task, int fd, T argument, Func<GuestTask, PathLocation?, Inode, T, Errno> change)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF : change(task, file.Location, file.Inode, argument);
        file.Release();
        return errno;
    }
}
