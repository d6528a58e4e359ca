using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Files;

/// <summary>getxattr(2), setxattr(2), listxattr(2), removexattr(2) and their l and f forms (xattr(7)).</summary>
internal static class ExtendedAttributes
{
    private const int MaxValue = 65536; // XATTR_SIZE_MAX
    private const int MaxName = 255; // XATTR_NAME_MAX

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getxattr, static (GuestTask task, in SyscallArguments a) => Get(task, Find(task, a.Address(0), WalkFlags.None), a), Arg.Path, Arg.String, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.lgetxattr, static (GuestTask task, in SyscallArguments a) => Get(task, Find(task, a.Address(0), WalkFlags.NoFollow), a), Arg.Path, Arg.String, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.fgetxattr, static (GuestTask task, in SyscallArguments a) => Get(task, Find(task, a.Int(0)), a), Arg.Fd, Arg.String, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.setxattr, static (GuestTask task, in SyscallArguments a) => Set(task, Find(task, a.Address(0), WalkFlags.None), a), Arg.Path, Arg.String, Arg.BufferIn, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.lsetxattr, static (GuestTask task, in SyscallArguments a) => Set(task, Find(task, a.Address(0), WalkFlags.NoFollow), a), Arg.Path, Arg.String, Arg.BufferIn, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.fsetxattr, static (GuestTask task, in SyscallArguments a) => Set(task, Find(task, a.Int(0)), a), Arg.Fd, Arg.String, Arg.BufferIn, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.listxattr, static (GuestTask task, in SyscallArguments a) => List(task, Find(task, a.Address(0), WalkFlags.None), a), Arg.Path, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.llistxattr, static (GuestTask task, in SyscallArguments a) => List(task, Find(task, a.Address(0), WalkFlags.NoFollow), a), Arg.Path, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.flistxattr, static (GuestTask task, in SyscallArguments a) => List(task, Find(task, a.Int(0)), a), Arg.Fd, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.removexattr, static (GuestTask task, in SyscallArguments a) => Remove(task, Find(task, a.Address(0), WalkFlags.None), a), Arg.Path, Arg.String);
        table.Add(SyscallNumber.lremovexattr, static (GuestTask task, in SyscallArguments a) => Remove(task, Find(task, a.Address(0), WalkFlags.NoFollow), a), Arg.Path, Arg.String);
        table.Add(SyscallNumber.fremovexattr, static (GuestTask task, in SyscallArguments a) => Remove(task, Find(task, a.Int(0)), a), Arg.Fd, Arg.String);
    }

    private static Result<PathLocation> Find(GuestTask task, GuestAddress path, WalkFlags flags) => Guest.Resolve(task, Guest.AtFdCwd, path, flags);

    private static Result<PathLocation> Find(GuestTask task, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        PathLocation? location = file.IsPath ? null : file.Location;
        errno = file.IsPath ? Errno.EBADF : Errno.EOPNOTSUPP;
        file.Release();
        return location is { } place ? place : errno;
    }

    private static SyscallResult Get(GuestTask task, Result<PathLocation> found, in SyscallArguments arguments)
    {
        if (!found.TryGet(out PathLocation location, out Errno errno) || !ReadName(task, arguments.Address(1)).TryGet(out FileName? name, out errno))
        {
            return errno;
        }

        errno = Check(task, location, name, MemoryAccess.Read);
        if (errno != Errno.None)
        {
            return errno;
        }

        return location.Inode.GetExtendedAttribute(task, name).TryGet(out byte[]? value, out errno) ? Hand(task, value, arguments.Address(2), arguments.Size(3)) : errno;
    }

    private static SyscallResult Set(GuestTask task, Result<PathLocation> found, in SyscallArguments arguments)
    {
        const int CreateOrReplace = 3;
        if ((arguments.Int(4) & ~CreateOrReplace) != 0 || arguments.Int(4) == CreateOrReplace)
        {
            return Errno.EINVAL;
        }

        if (!found.TryGet(out PathLocation location, out Errno errno) || !ReadName(task, arguments.Address(1)).TryGet(out FileName? name, out errno))
        {
            return errno;
        }

        if (arguments.Size(3) > MaxValue)
        {
            return Errno.E2BIG;
        }

        byte[] value = new byte[arguments.Size(3)];
        errno = task.Memory.CopyIn(arguments.Address(2), value);
        errno = errno == Errno.None ? Check(task, location, name, MemoryAccess.Write) : errno;
        if (errno == Errno.None && name.Equals(FileCapabilities.AttributeName))
        {
            errno = FileCapabilities.Parse(value).Errno;
        }

        return errno != Errno.None ? errno : Told(location, location.Inode.SetExtendedAttribute(task, name, value, arguments.Int(4)));
    }

    private static SyscallResult List(GuestTask task, Result<PathLocation> found, in SyscallArguments arguments)
    {
        if (!found.TryGet(out PathLocation location, out Errno errno) || !location.Inode.ListExtendedAttributes(task).TryGet(out byte[]? names, out errno))
        {
            return errno == Errno.EOPNOTSUPP ? 0 : errno;
        }

        if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            names = WithoutTrusted(names);
        }

        return Hand(task, names, arguments.Address(1), arguments.Size(2));
    }

    private static SyscallResult Remove(GuestTask task, Result<PathLocation> found, in SyscallArguments arguments)
    {
        if (!found.TryGet(out PathLocation location, out Errno errno) || !ReadName(task, arguments.Address(1)).TryGet(out FileName? name, out errno))
        {
            return errno;
        }

        errno = Check(task, location, name, MemoryAccess.Write);
        return errno != Errno.None ? errno : Told(location, location.Inode.RemoveExtendedAttribute(task, name));
    }

    private static Errno Told(PathLocation location, Errno errno)
    {
        if (errno == Errno.None)
        {
            FileEvents.Report(location, InotifyMask.IN_ATTRIB);
        }

        return errno;
    }

    private static Result<FileName> ReadName(GuestTask task, GuestAddress address)
    {
        Span<byte> buffer = stackalloc byte[MaxName + 1];
        if (!task.Memory.CopyInString(address, buffer).TryGet(out int length, out Errno errno))
        {
            return errno == Errno.ENAMETOOLONG ? Errno.ERANGE : errno;
        }

        return length == 0 ? Errno.ERANGE : new FileName(buffer[..length]);
    }

    // xattr(7): user.* by the file's permissions and on files and directories only, trusted.* for CAP_SYS_ADMIN, security.* to be read by all.
    private static Errno Check(GuestTask task, PathLocation location, FileName name, MemoryAccess access)
    {
        bool writes = access == MemoryAccess.Write;
        if (writes && location.Mount.IsReadOnly)
        {
            return Errno.EROFS;
        }

        if (name.Bytes.StartsWith("user."u8))
        {
            return location.Inode.FileType is not (Mode.S_IFREG or Mode.S_IFDIR) ? (writes ? Errno.EPERM : Errno.ENODATA) : FilePermission.Check(task, location, access);
        }

        if (name.Bytes.StartsWith("trusted."u8))
        {
            return task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN) ? Errno.None : writes ? Errno.EPERM : Errno.ENODATA;
        }

        if (name.Bytes.StartsWith("security."u8))
        {
            Capability needed = name.Equals(FileCapabilities.AttributeName) ? Capability.CAP_SETFCAP : Capability.CAP_SYS_ADMIN;
            return !writes || task.Credentials.HasCapability(needed) ? Errno.None : Errno.EPERM;
        }

        return Errno.EOPNOTSUPP;
    }

    private static SyscallResult Hand(GuestTask task, byte[] value, GuestAddress address, ulong size)
    {
        if (size == 0)
        {
            return value.Length;
        }

        if (size < (ulong)value.Length)
        {
            return Errno.ERANGE;
        }

        Errno errno = task.Memory.CopyOut(address, value);
        return errno != Errno.None ? errno : value.Length;
    }

    private static byte[] WithoutTrusted(byte[] names)
    {
        using MemoryStream kept = new();
        foreach (Range range in names.AsSpan().Split((byte)0))
        {
            ReadOnlySpan<byte> name = names.AsSpan(range);
            if (!name.IsEmpty && !name.StartsWith("trusted."u8))
            {
                kept.Write(name);
                kept.WriteByte(0);
            }
        }

        return kept.ToArray();
    }
}
