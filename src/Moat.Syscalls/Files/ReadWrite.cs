using Moat.Filesystems.Pipe;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Syscalls.Sockets;

namespace Moat.Syscalls.Files;

/// <summary>read(2), write(2), pread(2), pwrite(2), readv(2), writev(2), preadv(2), pwritev(2), lseek(2).</summary>
internal static class ReadWrite
{
    private const int MaxVectors = 1024; // UIO_MAXIOV
    private const ulong MaxTransfer = 0x7ffff000; // MAX_RW_COUNT

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.read, Read, Arg.Fd, Arg.BufferOut, Arg.Size);
        table.Add(SyscallNumber.write, Write, Arg.Fd, Arg.BufferIn, Arg.Size);
        table.Add(SyscallNumber.pread64, Pread, Arg.Fd, Arg.BufferOut, Arg.Size, Arg.Offset);
        table.Add(SyscallNumber.pwrite64, Pwrite, Arg.Fd, Arg.BufferIn, Arg.Size, Arg.Offset);
        table.Add(SyscallNumber.readv, Readv, Arg.Fd, Arg.IoVecOut, Arg.Int);
        table.Add(SyscallNumber.writev, Writev, Arg.Fd, Arg.IoVecIn, Arg.Int);
        table.Add(SyscallNumber.preadv, Preadv, Arg.Fd, Arg.IoVecOut, Arg.Int, Arg.Offset);
        table.Add(SyscallNumber.pwritev, Pwritev, Arg.Fd, Arg.IoVecIn, Arg.Int, Arg.Offset);
        table.Add(SyscallNumber.preadv2, static (GuestTask task, in SyscallArguments arguments) => WithFlags(task, arguments, write: false), Arg.Fd, Arg.IoVecOut, Arg.Int, Arg.Offset, Arg.Hex, Arg.Hex);
        table.Add(SyscallNumber.pwritev2, static (GuestTask task, in SyscallArguments arguments) => WithFlags(task, arguments, write: true), Arg.Fd, Arg.IoVecIn, Arg.Int, Arg.Offset, Arg.Hex, Arg.Hex);
        table.Add(SyscallNumber.vmsplice, Vmsplice, Arg.Fd, Arg.IoVecIn, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.lseek, Lseek, Arg.Fd, Arg.Offset, Arg.Whence);
    }

    private static SyscallResult Read(GuestTask task, in SyscallArguments arguments) => One(task, arguments, write: false, position: null);

    private static SyscallResult Write(GuestTask task, in SyscallArguments arguments) => One(task, arguments, write: true, position: null);

    private static SyscallResult Pread(GuestTask task, in SyscallArguments arguments) => One(task, arguments, write: false, arguments.Long(3));

    private static SyscallResult Pwrite(GuestTask task, in SyscallArguments arguments) => One(task, arguments, write: true, arguments.Long(3));

    private static SyscallResult Readv(GuestTask task, in SyscallArguments arguments) => Many(task, arguments, write: false, position: null);

    private static SyscallResult Writev(GuestTask task, in SyscallArguments arguments) => Many(task, arguments, write: true, position: null);

    private static SyscallResult Preadv(GuestTask task, in SyscallArguments arguments) => Many(task, arguments, write: false, arguments.Long(3));

    private static SyscallResult Pwritev(GuestTask task, in SyscallArguments arguments) => Many(task, arguments, write: true, arguments.Long(3));

    private static SyscallResult Lseek(GuestTask task, in SyscallArguments arguments)
    {
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

            lock (file.OffsetLock)
            {
                return file.Seek(task, arguments.Long(1), arguments.Int(2));
            }
        }
        finally
        {
            file.Release();
        }
    }

    // vmsplice(2): a writev or readv of a pipe that ends with what fits or is there; pages are copied, not passed on.
    private static SyscallResult Vmsplice(GuestTask task, in SyscallArguments arguments)
    {
        const uint Known = 0xf;
        const uint NonBlock = 2;
        if ((arguments.UInt(3) & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        bool writes = file.CanWrite;
        bool isOpen = writes || file.CanRead;
        bool isPipe = file is PipeDescription;
        file.Release();
        if (!isOpen)
        {
            return Errno.EBADF;
        }

        if (arguments.Size(2) > MaxVectors)
        {
            return Errno.EINVAL;
        }

        return arguments.Size(2) == 0 ? 0 : !isPipe ? Errno.EBADF
            : Many(task, arguments, writes, position: null, ((arguments.UInt(3) & NonBlock) != 0 ? RwFlags.NoWait : RwFlags.None) | RwFlags.Partial);
    }

    private static SyscallResult WithFlags(GuestTask task, in SyscallArguments arguments, bool write)
    {
        RwFlags flags = (RwFlags)arguments.Int(5);
        if ((flags & ~RwFlags.Known) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if ((flags & (RwFlags.Append | RwFlags.NoAppend)) == (RwFlags.Append | RwFlags.NoAppend))
        {
            return Errno.EINVAL;
        }

        long position = arguments.Long(3);
        return Many(task, arguments, write, position == -1 ? null : position, flags);
    }

    private static SyscallResult One(GuestTask task, in SyscallArguments arguments, bool write, long? position)
    {
        if (position < 0)
        {
            return Errno.EINVAL;
        }

        Span<IoVec> one = [new IoVec(arguments[1], Math.Min(arguments.Size(2), MaxTransfer))];
        return arguments.Size(2) > long.MaxValue ? Refuse(task, arguments.Int(0), write) : Transfer(task, arguments.Int(0), one, write, position);
    }

    // No buffer is as long; a bad descriptor comes first.
    private static Errno Refuse(GuestTask task, int fd, bool write)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        bool isAllowed = write ? file.CanWrite : file.CanRead;
        file.Release();
        return isAllowed ? Errno.EFAULT : Errno.EBADF;
    }

    private static SyscallResult Many(GuestTask task, in SyscallArguments arguments, bool write, long? position, RwFlags flags = RwFlags.None)
    {
        if (position < 0)
        {
            return Errno.EINVAL;
        }

        int count = arguments.Int(2);
        if ((uint)count > MaxVectors)
        {
            return Errno.EINVAL;
        }

        Span<IoVec> vectors = count <= 16 ? stackalloc IoVec[count] : new IoVec[count];
        Errno errno = task.Memory.CopyIn(arguments.Address(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes(vectors));
        if (errno != Errno.None)
        {
            return errno;
        }

        ulong total = 0;
        for (int i = 0; i < count; i++)
        {
            if (vectors[i].Length > long.MaxValue)
            {
                return Errno.EINVAL;
            }

            ulong length = Math.Min(vectors[i].Length, MaxTransfer - total);
            vectors[i] = vectors[i] with { Length = length };
            total += length;
        }

        return Transfer(task, arguments.Int(0), vectors, write, position, flags);
    }

    private static SyscallResult Transfer(GuestTask task, int fd, ReadOnlySpan<IoVec> vectors, bool write, long? position, RwFlags flags = RwFlags.None)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            if (write ? !file.CanWrite : !file.CanRead)
            {
                return Errno.EBADF;
            }

            if (position is not null && !file.IsSeekable)
            {
                return Errno.ESPIPE;
            }

            IoBuffer buffer = new(task.Memory, vectors);
            if (position > long.MaxValue - buffer.Length)
            {
                return Errno.EINVAL;
            }

            bool waits = !file.IsNonBlocking && (flags & RwFlags.NoWait) == 0;
            if (!write)
            {
                SyscallResult got = ReadSome(task, file, ref buffer, position, waits);
                if (!got.IsError)
                {
                    task.Usage.CountRead(got.Raw);
                }

                if (got.Raw > 0)
                {
                    FileEvents.Report(file.Location, InotifyMask.IN_ACCESS);
                }

                return got;
            }

            if (buffer.IsEmpty && file.Inode.FileType is Mode.S_IFREG or Mode.S_IFIFO)
            {
                return 0; // not even the times change, and nobody misses a reader
            }

            buffer.Placement = (flags & RwFlags.Append) != 0 ? WritePlacement.AtEnd : (flags & RwFlags.NoAppend) != 0 ? WritePlacement.AtOffset : WritePlacement.ByFlags;
            SyscallResult result = WriteAll(task, file, ref buffer, position, waits, (flags & RwFlags.Partial) != 0);
            if (!result.IsError)
            {
                task.Usage.CountWrite(result.Raw);
            }

            if (result.Raw > 0)
            {
                FileEvents.Report(file.Location, InotifyMask.IN_MODIFY);
            }

            if (result.Errno == Errno.EPIPE)
            {
                Guest.SignalSelf(task, Signal.SIGPIPE);
            }
            else if (!result.IsError && (flags & (RwFlags.Sync | RwFlags.DataSync)) != 0 && file.IsSeekable && file.Sync((flags & RwFlags.Sync) == 0) is var failed and not Errno.None)
            {
                return failed;
            }

            return result;
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult ReadSome(GuestTask task, FileDescription file, ref IoBuffer buffer, long? position, bool waits)
    {
        long deadlineNs = SocketWait.DeadlineOf(task, file.ReadTimeoutNs);
        while (true)
        {
            SyscallResult result;
            if (position is { } at)
            {
                result = file.Read(task, ref buffer, at);
            }
            else if (!file.IsSeekable)
            {
                result = file.Read(task, ref buffer, 0);
            }
            else
            {
                lock (file.OffsetLock)
                {
                    result = file.Read(task, ref buffer, file.Offset);
                    if (!result.IsError)
                    {
                        file.Offset += result.Raw;
                    }
                }
            }

            if (result.Errno != Errno.EAGAIN || !waits)
            {
                return result;
            }

            Errno errno = task.WaitFor(file.WaitableFor(task), PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR | PollEvents.POLLRDHUP, deadlineNs);
            if (errno != Errno.None)
            {
                return SocketWait.Translate(errno, deadlineNs);
            }
        }
    }

    // A blocking write goes on until everything is written; an interruption ends it with what has been.
    private static SyscallResult WriteAll(GuestTask task, FileDescription file, ref IoBuffer buffer, long? position, bool waits, bool isPartial)
    {
        long deadlineNs = SocketWait.DeadlineOf(task, file.WriteTimeoutNs);
        long done = 0;
        while (true)
        {
            SyscallResult result;
            if (position is { } at)
            {
                at += done;
                Errno tooBig = FileSizeLimit.Clip(task, file, ref buffer, at);
                result = tooBig != Errno.None ? tooBig : file.Write(task, ref buffer, ref at);
            }
            else if (!file.IsSeekable)
            {
                long ignored = 0;
                result = file.Write(task, ref buffer, ref ignored);
            }
            else
            {
                lock (file.OffsetLock)
                {
                    long offset = file.Offset;
                    Errno tooBig = offset > long.MaxValue - buffer.Length ? Errno.EINVAL : FileSizeLimit.Clip(task, file, ref buffer, offset);
                    result = tooBig != Errno.None ? tooBig : file.Write(task, ref buffer, ref offset);
                    if (!result.IsError)
                    {
                        file.Offset = offset;
                    }
                }
            }

            if (!result.IsError)
            {
                done += result.Raw;
                if (buffer.IsEmpty || file.IsSeekable || !waits || isPartial)
                {
                    return done;
                }
            }
            else if (result.Errno != Errno.EAGAIN || !waits)
            {
                return done > 0 ? done : result;
            }

            Errno errno = task.WaitFor(file, PollEvents.Writable | PollEvents.POLLHUP | PollEvents.POLLERR, deadlineNs);
            if (errno != Errno.None)
            {
                return done > 0 ? done : SocketWait.Translate(errno, deadlineNs);
            }
        }
    }
}
