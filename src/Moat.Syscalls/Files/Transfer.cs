using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>sendfile(2), posix_fadvise(2), readahead(2).</summary>
internal static class Transfer
{
    private const int ChunkSize = 64 << 10;
    private const long MaxTransfer = 0x7ffff000; // MAX_RW_COUNT

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.sendfile, Sendfile, Arg.Fd, Arg.Fd, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.fadvise64, Fadvise, Arg.Fd, Arg.Offset, Arg.Offset, Arg.Int);
        table.Add(SyscallNumber.readahead, Readahead, Arg.Fd, Arg.Offset, Arg.Size);
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

        if (!task.Files.Get(arguments.Int(1)).TryGet(out FileDescription? source, out Errno errno))
        {
            return errno;
        }

        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? target, out errno))
        {
            source.Release();
            return errno;
        }

        try
        {
            if (!source.CanRead || !target.CanWrite)
            {
                return Errno.EBADF;
            }

            if ((!offsetAddress.IsNull && !source.IsSeekable) || offset < 0)
            {
                return !source.IsSeekable ? Errno.ESPIPE : Errno.EINVAL;
            }

            if (source.Mappable is null || (target.StatusFlags & OpenFlags.O_APPEND) != 0)
            {
                return Errno.EINVAL; // the source must support mapping, the target must not append (sendfile(2))
            }

            if (offsetAddress.IsNull)
            {
                lock (source.OffsetLock)
                {
                    offset = source.Offset;
                    SyscallResult moved = Copy(task, source, target, ref offset, arguments.Size(3));
                    source.Offset = offset;
                    return moved;
                }
            }

            SyscallResult result = Copy(task, source, target, ref offset, arguments.Size(3));
            errno = task.Memory.Write(offsetAddress, offset);
            return errno != Errno.None ? errno : result;
        }
        finally
        {
            target.Release();
            source.Release();
        }
    }

    private static SyscallResult Copy(GuestTask task, FileDescription source, FileDescription target, ref long offset, ulong count)
    {
        byte[] chunk = System.Buffers.ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            long total = (long)Math.Min(count, MaxTransfer);
            long done = 0;
            while (done < total)
            {
                IoBuffer from = new(chunk.AsSpan(0, (int)Math.Min(ChunkSize, total - done)));
                SyscallResult read = source.Read(task, ref from, offset);
                if (read.IsError || read.Raw == 0)
                {
                    return done > 0 ? done : read;
                }

                SyscallResult written = WriteAll(task, target, chunk.AsSpan(0, (int)read.Raw));
                if (written.IsError)
                {
                    return done > 0 ? done : written;
                }

                offset += written.Raw;
                done += written.Raw;
                if (written.Raw < read.Raw)
                {
                    break;
                }
            }

            return done;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static SyscallResult WriteAll(GuestTask task, FileDescription target, Span<byte> bytes)
    {
        IoBuffer buffer = new(bytes);
        long done = 0;
        while (true)
        {
            SyscallResult result;
            if (target.IsSeekable)
            {
                lock (target.OffsetLock)
                {
                    long at = target.Offset;
                    result = target.Write(task, ref buffer, ref at);
                    target.Offset = at;
                }
            }
            else
            {
                long ignored = 0;
                result = target.Write(task, ref buffer, ref ignored);
            }

            done += result.IsError ? 0 : result.Raw;
            if (buffer.IsEmpty || (result.IsError && (result.Errno != Errno.EAGAIN || target.IsNonBlocking)))
            {
                return done > 0 ? done : result;
            }

            Errno errno = task.WaitFor(target, PollEvents.Writable | PollEvents.POLLERR);
            if (errno != Errno.None)
            {
                return done > 0 ? done : errno;
            }
        }
    }

    // Advice may be ignored; wrong arguments may not.
    private static SyscallResult Fadvise(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF : file.Inode.FileType == Mode.S_IFIFO ? Errno.ESPIPE : arguments.Long(2) < 0 || arguments.Int(3) is < 0 or > 5 ? Errno.EINVAL : Errno.None;
        file.Release();
        return errno;
    }

    private static SyscallResult Readahead(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = !file.CanRead ? Errno.EBADF : file.Mappable is null || file.Inode.FileType != Mode.S_IFREG ? Errno.EINVAL : Errno.None;
        file.Release();
        return errno;
    }
}
