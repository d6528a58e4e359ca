using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

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

            if (!file.IsSeekable)
            {
                return Errno.ESPIPE;
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

    private static SyscallResult One(GuestTask task, in SyscallArguments arguments, bool write, long? position)
    {
        if (position < 0)
        {
            return Errno.EINVAL;
        }

        Span<IoVec> one = [new IoVec(arguments[1], Math.Min(arguments.Size(2), MaxTransfer))];
        return arguments.Size(2) > long.MaxValue ? Errno.EINVAL : Transfer(task, arguments.Int(0), one, write, position);
    }

    private static SyscallResult Many(GuestTask task, in SyscallArguments arguments, bool write, long? position)
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

        return Transfer(task, arguments.Int(0), vectors, write, position);
    }

    private static SyscallResult Transfer(GuestTask task, int fd, ReadOnlySpan<IoVec> vectors, bool write, long? position)
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
            SyscallResult result = write ? WriteAll(task, file, ref buffer, position) : ReadSome(task, file, ref buffer, position);
            if (write && result.Errno == Errno.EPIPE)
            {
                lock (task.Kernel.TaskLock)
                {
                    SignalSender.SendToTask(task, SignalInfo.FromSender(Signal.SIGPIPE, SignalInfo.SiUser, task.ThreadGroup.Pid, task.Credentials.RealUid));
                }
            }

            return result;
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult ReadSome(GuestTask task, FileDescription file, ref IoBuffer buffer, long? position)
    {
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

            if (result.Errno != Errno.EAGAIN || file.IsNonBlocking)
            {
                return result;
            }

            Errno errno = task.WaitFor(file.WaitableFor(task), PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR | PollEvents.POLLRDHUP);
            if (errno != Errno.None)
            {
                return errno;
            }
        }
    }

    // A blocking write goes on until everything is written; an interruption ends it with what has been.
    private static SyscallResult WriteAll(GuestTask task, FileDescription file, ref IoBuffer buffer, long? position)
    {
        long done = 0;
        while (true)
        {
            SyscallResult result;
            if (position is { } at)
            {
                at += done;
                result = file.Write(task, ref buffer, ref at);
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
                    result = file.Write(task, ref buffer, ref offset);
                    if (!result.IsError)
                    {
                        file.Offset = offset;
                    }
                }
            }

            if (!result.IsError)
            {
                done += result.Raw;
                if (buffer.IsEmpty || file.IsSeekable || file.IsNonBlocking)
                {
                    return done;
                }
            }
            else if (result.Errno != Errno.EAGAIN || file.IsNonBlocking)
            {
                return done > 0 ? done : result;
            }

            Errno errno = task.WaitFor(file, PollEvents.Writable | PollEvents.POLLHUP | PollEvents.POLLERR);
            if (errno != Errno.None)
            {
                return done > 0 ? done : errno;
            }
        }
    }
}
