using System.Buffers;
using Moat.Filesystems.Pipe;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>splice(2), tee(2). Bytes are copied once; pages are not passed on.</summary>
internal static class Splice
{
    private const uint Known = 0xf; // SPLICE_F_MOVE, _NONBLOCK, _MORE, _GIFT
    private const uint NonBlock = 2;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.splice, SpliceCall, Arg.Fd, Arg.Pointer, Arg.Fd, Arg.Pointer, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.tee, Tee, Arg.Fd, Arg.Fd, Arg.Size, Arg.Hex);
    }

    private static SyscallResult SpliceCall(GuestTask task, in SyscallArguments arguments)
    {
        (GuestAddress fromAddress, GuestAddress toAddress) = (arguments.Address(1), arguments.Address(3));
        uint flags = arguments.UInt(5);
        if (arguments.Size(4) == 0)
        {
            return 0;
        }

        if ((flags & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        using FilePair files = FilePair.Get(task, arguments.Int(0), arguments.Int(2), out Errno errno);
        if (errno != Errno.None)
        {
            return errno;
        }

        (FileDescription source, FileDescription target) = (files.Source, files.Target);
        if ((source is PipeDescription && !fromAddress.IsNull) || (target is PipeDescription && !toAddress.IsNull))
        {
            return Errno.ESPIPE;
        }

        long from = source.Offset;
        long to = target.Offset;
        errno = toAddress.IsNull ? Errno.None : task.Memory.Read(toAddress, out to);
        errno = fromAddress.IsNull || errno != Errno.None ? errno : task.Memory.Read(fromAddress, out from);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!source.CanRead || !target.CanWrite)
        {
            return Errno.EBADF;
        }

        if ((source is not PipeDescription && target is not PipeDescription) || (source as PipeDescription)?.Pipe == (target as PipeDescription)?.Pipe
            || (!fromAddress.IsNull && !source.IsSeekable) || (!toAddress.IsNull && !target.IsSeekable) || from < 0 || to < 0)
        {
            return Errno.EINVAL;
        }

        if (source is PipeDescription && target is not PipeDescription && (target.StatusFlags & OpenFlags.O_APPEND) != 0)
        {
            return Errno.EINVAL;
        }

        bool waits = (flags & NonBlock) == 0;
        long count = (long)Math.Min(arguments.Size(4), FileCopy.MaxTransfer);
        SyscallResult moved = source is PipeDescription pipe
            ? FromPipe(task, pipe, target, ref to, count, waits && !pipe.IsNonBlocking, waits && !target.IsNonBlocking)
            : ToPipe(task, source, ref from, (PipeDescription)target, count, waits && !target.IsNonBlocking, waits && !source.IsNonBlocking);
        if (moved.IsError)
        {
            return moved;
        }

        errno = fromAddress.IsNull ? Errno.None : task.Memory.Write(fromAddress, from);
        errno = toAddress.IsNull || errno != Errno.None ? errno : task.Memory.Write(toAddress, to);
        if (fromAddress.IsNull && source.IsSeekable)
        {
            source.Offset = from;
        }

        if (toAddress.IsNull && target.IsSeekable)
        {
            target.Offset = to;
        }

        return errno != Errno.None ? errno : moved;
    }

    private static SyscallResult Tee(GuestTask task, in SyscallArguments arguments)
    {
        uint flags = arguments.UInt(3);
        if ((flags & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if (arguments.Size(2) == 0)
        {
            return 0;
        }

        using FilePair files = FilePair.Get(task, arguments.Int(0), arguments.Int(1), out Errno errno);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!files.Source.CanRead || !files.Target.CanWrite)
        {
            return Errno.EBADF;
        }

        if (files.Source is not PipeDescription source || files.Target is not PipeDescription target || source.Pipe == target.Pipe)
        {
            return Errno.EINVAL;
        }

        bool waits = (flags & NonBlock) == 0 && !source.IsNonBlocking && !target.IsNonBlocking;
        errno = WaitForBytes(task, source, waits);
        errno = errno == Errno.None ? WaitForRoom(task, target, waits) : errno;
        if (errno != Errno.None)
        {
            return errno;
        }

        byte[] chunk = ArrayPool<byte>.Shared.Rent(PipeBuffer.MaxCapacity);
        try
        {
            int count = source.Pipe.Peek(chunk.AsSpan(0, (int)Math.Min(arguments.Size(2), (ulong)Math.Min(chunk.Length, target.Pipe.Room))));
            return Put(task, target, chunk.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    // Takes what is there, at most what a pipe can hold; what the target does not take goes back.
    private static SyscallResult FromPipe(GuestTask task, PipeDescription source, FileDescription target, ref long offset, long count, bool waitsForBytes, bool waitsForRoom)
    {
        byte[] chunk = ArrayPool<byte>.Shared.Rent(PipeBuffer.DefaultCapacity);
        try
        {
            long done = 0;
            while (done < count)
            {
                Errno errno = done > 0 ? Errno.None : WaitForBytes(task, source, waitsForBytes);
                errno = errno == Errno.None && done == 0 && target is PipeDescription pipe ? WaitForRoom(task, pipe, waitsForRoom) : errno;
                if (errno != Errno.None)
                {
                    return errno;
                }

                int limit = (int)Math.Min(count - done, target is PipeDescription sink ? Math.Min(sink.Pipe.Room, chunk.Length) : chunk.Length);
                IoBuffer taken = new(chunk.AsSpan(0, limit));
                SyscallResult read = source.Pipe.Read(ref taken);
                if (read.IsError || read.Raw == 0)
                {
                    return done > 0 || read.Errno == Errno.EAGAIN ? done : read;
                }

                int length = (int)read.Raw;
                SyscallResult written = target is PipeDescription other ? Put(task, other, chunk.AsSpan(0, length)) : FileCopy.Write(task, target, chunk.AsSpan(0, length), ref offset, waitsForRoom);
                int kept = written.IsError ? 0 : (int)written.Raw;
                source.Pipe.PutBack(chunk.AsSpan(kept, length - kept));
                done += kept;
                if (kept < length)
                {
                    return done > 0 ? done : written;
                }
            }

            return done;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static SyscallResult ToPipe(GuestTask task, FileDescription source, ref long offset, PipeDescription target, long count, bool waitsForRoom, bool waitsForBytes)
    {
        Errno errno = WaitForRoom(task, target, waitsForRoom);
        if (errno != Errno.None)
        {
            return errno;
        }

        byte[] chunk = ArrayPool<byte>.Shared.Rent(PipeBuffer.DefaultCapacity);
        try
        {
            while (true)
            {
                IoBuffer buffer = new(chunk.AsSpan(0, (int)Math.Min(count, Math.Min(chunk.Length, Math.Max(1, target.Pipe.Room)))));
                SyscallResult read = source.Read(task, ref buffer, offset);
                if (!read.IsError)
                {
                    long ignored = 0;
                    SyscallResult written = read.Raw == 0 ? 0 : FileCopy.Write(task, target, chunk.AsSpan(0, (int)read.Raw), ref ignored, waits: true);
                    offset += written.IsError ? 0 : written.Raw;
                    return written;
                }

                if (read.Errno != Errno.EAGAIN || !waitsForBytes)
                {
                    return read;
                }

                errno = task.WaitFor(source, PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static SyscallResult Put(GuestTask task, PipeDescription target, ReadOnlySpan<byte> bytes)
    {
        SyscallResult result = target.Pipe.Append(bytes);
        if (result.Errno == Errno.EPIPE)
        {
            Guest.SignalSelf(task, Signal.SIGPIPE);
        }

        return result;
    }

    private static Errno WaitForBytes(GuestTask task, PipeDescription pipe, bool waits)
    {
        if (pipe.Pipe.Count > 0 || !pipe.Pipe.HasWriters)
        {
            return Errno.None;
        }

        return waits ? task.WaitFor(pipe, PollEvents.Readable | PollEvents.POLLHUP) : Errno.EAGAIN;
    }

    private static Errno WaitForRoom(GuestTask task, PipeDescription pipe, bool waits)
    {
        if (!pipe.Pipe.HasReaders)
        {
            Guest.SignalSelf(task, Signal.SIGPIPE);
            return Errno.EPIPE;
        }

        if (pipe.Pipe.Room > 0)
        {
            return Errno.None;
        }

        return waits ? task.WaitFor(pipe, PollEvents.Writable | PollEvents.POLLERR) : Errno.EAGAIN;
    }
}
