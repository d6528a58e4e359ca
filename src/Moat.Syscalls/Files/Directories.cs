using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Files;

/// <summary>getdents64(2), mkdir(2), rmdir(2), getcwd(2), chdir(2), fchdir(2), chroot(2).</summary>
internal static class Directories
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getdents64, Getdents64, Arg.Fd, Arg.Pointer, Arg.UInt);
        table.Add(SyscallNumber.getdents, Getdents, Arg.Fd, Arg.Pointer, Arg.UInt);
        table.Add(SyscallNumber.mkdir, Mkdir, Arg.Path, Arg.Mode);
        table.Add(SyscallNumber.mkdirat, MkdirAt, Arg.DirFd, Arg.Path, Arg.Mode);
        table.Add(SyscallNumber.rmdir, Rmdir, Arg.Path);
        table.Add(SyscallNumber.getcwd, Getcwd, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.chdir, Chdir, Arg.Path);
        table.Add(SyscallNumber.fchdir, Fchdir, Arg.Fd);
        table.Add(SyscallNumber.chroot, Chroot, Arg.Path);
    }

    private static SyscallResult Getdents64(GuestTask task, in SyscallArguments arguments) => List(task, arguments, typeIsLast: false);

    private static SyscallResult Getdents(GuestTask task, in SyscallArguments arguments) => List(task, arguments, typeIsLast: true);

    private static SyscallResult List(GuestTask task, in SyscallArguments arguments, bool typeIsLast)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        DirentWriter? writer = null;
        try
        {
            if (file.IsPath)
            {
                return Errno.EBADF;
            }

            if (file.Inode.IsDirectory && file.Location is { Dentry.IsUnlinked: true })
            {
                return Errno.ENOENT;
            }

            writer = new DirentWriter((int)Math.Min(arguments.UInt(2), 1 << 20), typeIsLast);
            lock (file.OffsetLock)
            {
                long before = file.Offset;
                errno = file.ReadDirectory(task, writer);
                if (errno != Errno.None)
                {
                    return errno;
                }

                FileEvents.Report(file.Location, InotifyMask.IN_ACCESS);
                if (writer.Written.IsEmpty)
                {
                    return writer.Refused ? Errno.EINVAL : 0;
                }

                errno = task.Memory.CopyOut(arguments.Address(1), writer.Written);
                if (errno != Errno.None)
                {
                    file.Offset = before;
                    return errno;
                }

                return writer.Written.Length;
            }
        }
        finally
        {
            writer?.Dispose();
            file.Release();
        }
    }

    private static SyscallResult Mkdir(GuestTask task, in SyscallArguments arguments) => Make(task, Guest.AtFdCwd, arguments.Address(0), arguments.UInt(1));

    private static SyscallResult MkdirAt(GuestTask task, in SyscallArguments arguments) => Make(task, arguments.Int(0), arguments.Address(1), arguments.UInt(2));

    private static SyscallResult Make(GuestTask task, int directoryFd, GuestAddress address, uint mode) =>
        Guest.ReadPath(task, address, out ReadOnlySpan<byte> path) is var errno and not Errno.None ? errno
            : Guest.StartOf(task, directoryFd, path).TryGet(out PathLocation start, out errno) ? FileCreation.Make(task, start, path, Mode.S_IFDIR | ((Mode)mode & (Mode)0x3ff), default)
            : errno;

    private static SyscallResult Rmdir(GuestTask task, in SyscallArguments arguments) =>
        Guest.ReadPath(task, arguments.Address(0), out ReadOnlySpan<byte> path) is var errno and not Errno.None ? errno : FileCreation.RemoveDirectory(task, task.Fs.WorkingDirectory, path);

    private static SyscallResult Getcwd(GuestTask task, in SyscallArguments arguments)
    {
        PathLocation here = task.Fs.WorkingDirectory;
        if (here.Dentry.IsUnlinked)
        {
            return Errno.ENOENT;
        }

        ReadOnlySpan<byte> unreachable = "(unreachable)"u8;
        Span<byte> text = stackalloc byte[unreachable.Length + PathWalker.MaxPath];
        unreachable.CopyTo(text);
        int length = PathPrinter.Print(task.Fs.Root, here, text[unreachable.Length..^1], out bool isReachable);
        if (length == 0)
        {
            return Errno.ENAMETOOLONG;
        }

        text = text[(isReachable ? unreachable.Length : 0)..(unreachable.Length + length + 1)]; // with a zero at the end
        if ((ulong)text.Length > arguments.Size(1))
        {
            return Errno.ERANGE;
        }

        text[^1] = 0;
        Errno errno = task.Memory.CopyOut(arguments.Address(0), text);
        return errno != Errno.None ? errno : text.Length;
    }

    private static SyscallResult Chdir(GuestTask task, in SyscallArguments arguments)
    {
        if (!Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0), WalkFlags.Directory).TryGet(out PathLocation location, out Errno errno))
        {
            return errno;
        }

        return Enter(task, location);
    }

    private static SyscallResult Fchdir(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        PathLocation? location = file.Inode.IsDirectory ? file.Location : null;
        file.Release();
        return location is { } place ? Enter(task, place) : Errno.ENOTDIR;
    }

    private static SyscallResult Enter(GuestTask task, PathLocation location)
    {
        Errno errno = FilePermission.Check(task, location, MemoryAccess.Execute);
        if (errno == Errno.None)
        {
            task.Fs.WorkingDirectory = location;
        }

        return errno;
    }

    private static SyscallResult Chroot(GuestTask task, in SyscallArguments arguments)
    {
        if (!Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0), WalkFlags.Directory).TryGet(out PathLocation location, out Errno errno))
        {
            return errno;
        }

        errno = FilePermission.Check(task, location, MemoryAccess.Execute);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!task.Credentials.HasCapability(Kernel.Credentials.Capability.CAP_SYS_CHROOT))
        {
            return Errno.EPERM;
        }

        task.Fs.Root = location;
        return SyscallResult.Ok;
    }

    // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name, zero, padded to 8. In struct linux_dirent the type is the last byte.
    private sealed class DirentWriter(int capacity, bool typeIsLast) : IDirectorySink, IDisposable
    {
        private readonly int _headerSize = typeIsLast ? 18 : 19;
        private readonly byte[] _buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(capacity);
        private int _used;

        public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _used);

        public bool Refused { get; private set; }

        public void Dispose() => System.Buffers.ArrayPool<byte>.Shared.Return(_buffer);

        public bool TryAdd(ReadOnlySpan<byte> name, ulong inode, Mode type, long nextOffset)
        {
            int length = (_headerSize + name.Length + (typeIsLast ? 2 : 1) + 7) & ~7;
            if (length > capacity - _used)
            {
                Refused = true;
                return false;
            }

            Span<byte> entry = _buffer.AsSpan(_used, length);
            entry[^8..].Clear(); // the buffer is not new
            BinaryPrimitives.WriteUInt64LittleEndian(entry, inode);
            BinaryPrimitives.WriteInt64LittleEndian(entry[8..], nextOffset);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[16..], (ushort)length);
            entry[typeIsLast ? ^1 : 18] = (byte)((uint)(type & Mode.S_IFMT) >> 12);
            name.CopyTo(entry[_headerSize..]);
            _used += length;
            return true;
        }
    }
}
