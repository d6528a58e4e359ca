using System.Runtime.InteropServices;
using Moat.Filesystems.EventFiles;
using Moat.Kernel.Credentials;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Ipc;

/// <summary>mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2).</summary>
internal static class PosixMessages
{
    private const uint MaxPriority = 32768;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.mq_open, Open, Arg.Path, Arg.OpenFlags, Arg.Mode, Arg.Pointer);
        table.Add(SyscallNumber.mq_unlink, Unlink, Arg.Path);
        table.Add(SyscallNumber.mq_timedsend, Send, Arg.Fd, Arg.BufferIn, Arg.Size, Arg.UInt, Arg.Timespec);
        table.Add(SyscallNumber.mq_timedreceive, Receive, Arg.Fd, Arg.BufferOut, Arg.Size, Arg.Pointer, Arg.Timespec);
        table.Add(SyscallNumber.mq_notify, Notify, Arg.Fd, Arg.Pointer);
        table.Add(SyscallNumber.mq_getsetattr, GetSetAttributes, Arg.Fd, Arg.Pointer, Arg.Pointer);
    }

    private static SyscallResult Open(GuestTask task, in SyscallArguments arguments)
    {
        OpenFlags flags = (OpenFlags)arguments.Int(1);
        bool creates = (flags & OpenFlags.O_CREAT) != 0;
        QueueAttributes attributes = new() { MaxMessages = 10, MessageSize = 8192 };
        if (creates && !arguments.Address(3).IsNull)
        {
            Errno failure = task.Memory.Read(arguments.Address(3), out attributes);
            if (failure != Errno.None)
            {
                return failure;
            }
        }

        if (!ReadName(task, arguments.Address(0)).TryGet(out FileName? name, out Errno errno))
        {
            return errno;
        }

        if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_ACCMODE)
        {
            return Errno.EINVAL;
        }

        bool isPrivileged = task.Credentials.HasCapability(Capability.CAP_SYS_RESOURCE);
        bool isValid = attributes.MaxMessages > 0 && attributes.MessageSize > 0
            && attributes.MaxMessages <= (isPrivileged ? 65536 : 10) && attributes.MessageSize <= (isPrivileged ? 16 << 20 : 8192);
        uint mode = arguments.UInt(2) & ~(uint)task.Fs.Umask;
        PosixQueues queues = task.Ipc.PosixQueues;
        Func<PosixQueue>? make = creates && isValid ? () => new PosixQueue(task.Credentials, mode, (int)attributes.MaxMessages, (int)attributes.MessageSize) : null;
        if (!queues.Open(name, make, creates && (flags & OpenFlags.O_EXCL) != 0, out bool isNew).TryGet(out PosixQueue? queue, out errno))
        {
            return errno == Errno.ENOENT && creates ? Errno.EINVAL : errno;
        }

        uint wanted = (flags & OpenFlags.O_ACCMODE) switch { OpenFlags.O_RDONLY => 4, OpenFlags.O_WRONLY => 2, _ => 6 };
        if (!isNew && !queue.Allows(task.Credentials, wanted))
        {
            queues.Close(queue);
            return Errno.EACCES;
        }

        MqueueDescription file = new((AnonymousFilesystem)task.Kernel.AnonymousFiles, queues, queue, flags & (OpenFlags.O_ACCMODE | OpenFlags.O_NONBLOCK));
        return Guest.InstallNew(task, file, (int)OpenFlags.O_CLOEXEC);
    }

    private static SyscallResult Unlink(GuestTask task, in SyscallArguments arguments) =>
        ReadName(task, arguments.Address(0)).TryGet(out FileName? name, out Errno errno) ? task.Ipc.PosixQueues.Unlink(name, task.Credentials) : errno;

    private static SyscallResult Send(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.UInt(3) >= MaxPriority)
        {
            return Errno.EINVAL;
        }

        if (!DeadlineOf(task, arguments.Address(4)).TryGet(out long deadlineNs, out Errno errno) || !Find(task, arguments.Int(0)).TryGet(out MqueueDescription? file, out errno))
        {
            return errno;
        }

        try
        {
            if (!file.CanWrite)
            {
                return Errno.EBADF;
            }

            if (arguments.Size(2) > (ulong)file.Queue.MaxSize)
            {
                return Errno.EMSGSIZE;
            }

            byte[] text = new byte[arguments.Size(2)];
            errno = task.Memory.CopyIn(arguments.Address(1), text);
            if (errno != Errno.None)
            {
                return errno;
            }

            PosixMessage message = new(arguments.UInt(3), text);
            while (!file.Queue.TryAdd(task, message))
            {
                errno = file.IsNonBlocking ? Errno.EAGAIN : task.WaitFor(file, PollEvents.Writable, deadlineNs);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            return SyscallResult.Ok;
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult Receive(GuestTask task, in SyscallArguments arguments)
    {
        if (!DeadlineOf(task, arguments.Address(4)).TryGet(out long deadlineNs, out Errno errno) || !Find(task, arguments.Int(0)).TryGet(out MqueueDescription? file, out errno))
        {
            return errno;
        }

        try
        {
            if (!file.CanRead)
            {
                return Errno.EBADF;
            }

            if (arguments.Size(2) < (ulong)file.Queue.MaxSize)
            {
                return Errno.EMSGSIZE;
            }

            PosixMessage? message;
            while ((message = file.Queue.TryTake()) is null)
            {
                errno = file.IsNonBlocking ? Errno.EAGAIN : task.WaitFor(file, PollEvents.Readable, deadlineNs);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            errno = task.Memory.CopyOut(arguments.Address(1), message.Text);
            errno = errno != Errno.None || arguments.Address(3).IsNull ? errno : task.Memory.Write(arguments.Address(3), message.Priority);
            return errno != Errno.None ? errno : message.Text.Length;
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult Notify(GuestTask task, in SyscallArguments arguments)
    {
        const int NotifySignal = 0;
        const int NotifyNone = 1;
        const int NotifyThread = 2; // by a netlink socket, which this kernel does not have
        TimerNotification? notification = null;
        if (!arguments.Address(1).IsNull)
        {
            Errno failure = task.Memory.Read(arguments.Address(1), out EventBuffer request);
            if (failure != Errno.None)
            {
                return failure;
            }

            if (request.Kind is not (NotifySignal or NotifyNone or NotifyThread) || (request.Kind == NotifySignal && request.Signal is < 1 or > 64))
            {
                return Errno.EINVAL;
            }

            if (request.Kind == NotifyThread)
            {
                return Errno.ENOSYS;
            }

            notification = new TimerNotification(request.Kind == NotifyNone ? Signal.None : (Signal)request.Signal, null, request.Value);
        }

        if (!Find(task, arguments.Int(0)).TryGet(out MqueueDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.Queue.SetNotification(task.ThreadGroup, notification);
        file.Release();
        return errno;
    }

    private static SyscallResult GetSetAttributes(GuestTask task, in SyscallArguments arguments)
    {
        QueueAttributes wanted = default;
        if (!arguments.Address(1).IsNull)
        {
            Errno failure = task.Memory.Read(arguments.Address(1), out wanted);
            if (failure != Errno.None || (wanted.Flags & ~(long)OpenFlags.O_NONBLOCK) != 0)
            {
                return failure == Errno.None ? Errno.EINVAL : failure;
            }
        }

        if (!Find(task, arguments.Int(0)).TryGet(out MqueueDescription? file, out Errno errno))
        {
            return errno;
        }

        QueueAttributes before = new()
        {
            Flags = (long)(file.StatusFlags & OpenFlags.O_NONBLOCK),
            MaxMessages = file.Queue.MaxMessages,
            MessageSize = file.Queue.MaxSize,
            Messages = file.Queue.Count,
        };
        if (!arguments.Address(1).IsNull)
        {
            file.StatusFlags = (file.StatusFlags & ~OpenFlags.O_NONBLOCK) | (OpenFlags)wanted.Flags;
        }

        file.Release();
        return arguments.Address(2).IsNull ? Errno.None : task.Memory.Write(arguments.Address(2), before);
    }

    private static Result<MqueueDescription> Find(GuestTask task, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        if (file is MqueueDescription queue)
        {
            return queue;
        }

        file.Release();
        return Errno.EBADF;
    }

    // The C library has taken the leading slash away.
    private static Result<FileName> ReadName(GuestTask task, GuestAddress address)
    {
        if (!Guest.ReadPath(task, address).TryGet(out byte[]? name, out Errno errno))
        {
            return errno;
        }

        return name.Length == 0 ? Errno.ENOENT
            : name.Length > FileName.MaxLength ? Errno.ENAMETOOLONG
            : name.AsSpan().Contains((byte)'/') || name.AsSpan().SequenceEqual("."u8) || name.AsSpan().SequenceEqual(".."u8) ? Errno.EACCES : new FileName(name);
    }

    // Absolute, by the real-time clock.
    private static Result<long> DeadlineOf(GuestTask task, GuestAddress address)
    {
        if (address.IsNull)
        {
            return long.MaxValue;
        }

        Errno errno = task.Memory.Read(address, out Timespec time);
        return errno != Errno.None ? errno
            : !time.IsValid ? Errno.EINVAL
            : Guest.DeadlineAfter(task, Math.Max(0, time.ToNanoseconds() - task.Kernel.Clock.RealtimeNs));
    }

    /// <remarks><c>struct mq_attr</c>.</remarks>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct QueueAttributes
    {
        public long Flags;
        public long MaxMessages;
        public long MessageSize;
        public long Messages;
    }

    /// <remarks><c>struct sigevent</c>: 64 bytes.</remarks>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct EventBuffer
    {
        public ulong Value;
        public int Signal;
        public int Kind;
    }
}
