using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>sendfile(2), copy_file_range(2).</summary>
internal static class Transfer
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.sendfile, Sendfile, Arg.Fd, Arg.Fd, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.copy_file_range, CopyFileRange, Arg.Fd, Arg.Pointer, Arg.Fd, Arg.Pointer, Arg.Size, Arg.Hex);
    }

    private static SyscallResult Sendfile(GuestTask task, in SyscallArguments arguments)
    {
        GuestAddress offsetAddress = arguments.Address(2);
        long offset = 0;
        if (!offsetAddress.IsNull)
        {
            Errno failure = task.Memory.Read(offsetAddress, out offset);
            if (failure != Errno.None)
            {
                return failure;
            }
        }

        using FilePair files = FilePair.Get(task, arguments.Int(1), arguments.Int(0), out Errno errno);
        if (errno != Errno.None)
        {
            return errno;
        }

        (FileDescription source, FileDescription target) = (files.Source, files.Target);
        if (!source.CanRead)
        {
            return Errno.EBADF;
        }

        if (!offsetAddress.IsNull && !source.IsSeekable)
        {
            return Errno.ESPIPE;
        }

        if (offset < 0)
        {
            return Errno.EINVAL;
        }

        if (!target.CanWrite)
        {
            return Errno.EBADF;
        }

        // Bytes that were read and found no room cannot be given back to what has no offset (sendfile(2)).
        if (!source.IsSeekable || source.Inode.IsDirectory || (target.StatusFlags & OpenFlags.O_APPEND) != 0)
        {
            return Errno.EINVAL;
        }

        long from = offsetAddress.IsNull ? source.Offset : offset;
        long to = target.Offset;
        SyscallResult moved = FileCopy.Copy(task, source, ref from, target, ref to, (long)Math.Min(arguments.Size(3), FileCopy.MaxTransfer), !target.IsNonBlocking);
        target.Offset = to;
        if (!offsetAddress.IsNull)
        {
            errno = task.Memory.Write(offsetAddress, from);
            return errno != Errno.None ? errno : moved;
        }

        source.Offset = from;
        return moved;
    }

    private static SyscallResult CopyFileRange(GuestTask task, in SyscallArguments arguments)
    {
        using FilePair files = FilePair.Get(task, arguments.Int(0), arguments.Int(2), out Errno errno);
        if (errno != Errno.None)
        {
            return errno;
        }

        (FileDescription source, FileDescription target) = (files.Source, files.Target);
        (GuestAddress fromAddress, GuestAddress toAddress) = (arguments.Address(1), arguments.Address(3));
        long from = source.Offset;
        long to = target.Offset;
        errno = fromAddress.IsNull ? Errno.None : task.Memory.Read(fromAddress, out from);
        errno = toAddress.IsNull || errno != Errno.None ? errno : task.Memory.Read(toAddress, out to);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (arguments.UInt(5) != 0)
        {
            return Errno.EINVAL;
        }

        long count = (long)Math.Min(arguments.Size(4), FileCopy.MaxTransfer);
        errno = CheckRange(source, from, target, to, arguments.Size(4));
        if (errno != Errno.None)
        {
            return errno;
        }

        SyscallResult moved = FileCopy.Copy(task, source, ref from, target, ref to, count, waits: false);
        if (moved.IsError)
        {
            return moved;
        }

        errno = fromAddress.IsNull ? Errno.None : task.Memory.Write(fromAddress, from);
        errno = toAddress.IsNull || errno != Errno.None ? errno : task.Memory.Write(toAddress, to);
        source.Offset = fromAddress.IsNull ? from : source.Offset;
        target.Offset = toAddress.IsNull ? to : target.Offset;
        return errno != Errno.None ? errno : moved;
    }

    private static Errno CheckRange(FileDescription source, long from, FileDescription target, long to, ulong count)
    {
        if (source.Inode.IsDirectory || target.Inode.IsDirectory)
        {
            return Errno.EISDIR;
        }

        if (source.Inode.FileType != Mode.S_IFREG || target.Inode.FileType != Mode.S_IFREG)
        {
            return Errno.EINVAL;
        }

        if (!source.CanRead || !target.CanWrite || (target.StatusFlags & OpenFlags.O_APPEND) != 0)
        {
            return Errno.EBADF;
        }

        if (source.Inode.Filesystem != target.Inode.Filesystem)
        {
            return Errno.EXDEV;
        }

        Errno errno = source.Inode.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (from < 0 || to < 0)
        {
            return Errno.EINVAL;
        }

        long length = from >= attributes.Size ? 0 : (long)Math.Min(count, (ulong)(attributes.Size - from));
        if (to > long.MaxValue - length)
        {
            return Errno.EOVERFLOW;
        }

        bool overlaps = source.Inode == target.Inode && to < from + length && from < to + length;
        return overlaps ? Errno.EINVAL : Errno.None;
    }
}
