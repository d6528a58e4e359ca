using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Ipc;

/// <summary>msgget(2), msgsnd(2), msgrcv(2), msgctl(2).</summary>
internal static class MessageQueues
{
    /// <summary>MSGMAX.</summary>
    public const ulong MaxText = 8192;

    private const uint ReadPermission = 0x124;
    private const uint WritePermission = 0x92;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.msgget, Get, Arg.Hex, Arg.Octal);
        table.Add(SyscallNumber.msgsnd, Send, Arg.Int, Arg.Pointer, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.msgrcv, Receive, Arg.Int, Arg.Pointer, Arg.Size, Arg.Long, Arg.Hex);
        table.Add(SyscallNumber.msgctl, Control, Arg.Int, Arg.Int, Arg.Pointer);
    }

    private static SyscallResult Get(GuestTask task, in SyscallArguments arguments)
    {
        (int key, int flags) = (arguments.Int(0), arguments.Int(1));
        IpcObjects<MessageQueue> queues = task.Ipc.Queues;
        lock (queues.Lock)
        {
            return queues.Get(task.Credentials, key, flags, static _ => Errno.None, () => new MessageQueue(task.Ipc, key, task.Credentials, (uint)flags, Now(task)))
                .TryGet(out MessageQueue? queue, out Errno errno) ? queue.Id : errno;
        }
    }

    private static SyscallResult Send(GuestTask task, in SyscallArguments arguments)
    {
        ulong size = arguments.Size(2);
        bool waits = (arguments.Int(3) & IpcTable.NoWait) == 0;
        Errno errno = task.Memory.Read(arguments.Address(1), out long type);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (size > MaxText || arguments.Int(0) < 0 || type < 1)
        {
            return Errno.EINVAL;
        }

        byte[] text = new byte[size];
        errno = task.Memory.CopyIn(arguments.Address(1) + sizeof(long), text);
        if (errno != Errno.None || !Find(task, arguments.Int(0), WritePermission).TryGet(out MessageQueue? queue, out errno))
        {
            return errno;
        }

        IpcMessage message = new(type, text);
        return Wait(task, queue, waits, Errno.EAGAIN, () => queue.TryAdd(message, task.ThreadGroup.Pid, Now(task)) ? Errno.None : Errno.EAGAIN);
    }

    private static SyscallResult Receive(GuestTask task, in SyscallArguments arguments)
    {
        const int NoError = 0x1000;
        const int Except = 0x2000;
        const int Copy = 0x4000;
        ulong size = arguments.Size(2);
        long type = arguments.Long(3);
        int flags = arguments.Int(4);
        bool copies = (flags & Copy) != 0;
        if (arguments.Int(0) < 0 || size > long.MaxValue || (copies && ((flags & Except) != 0 || (flags & IpcTable.NoWait) == 0)))
        {
            return Errno.EINVAL;
        }

        if (!Find(task, arguments.Int(0), ReadPermission).TryGet(out MessageQueue? queue, out Errno errno))
        {
            return errno;
        }

        IpcMessage? message = null;
        SyscallResult result = Wait(task, queue, (flags & IpcTable.NoWait) == 0, Errno.ENOMSG, () =>
        {
            message = copies ? queue.At(type) : queue.Find(type, (flags & Except) != 0);
            if (message is null)
            {
                return Errno.EAGAIN;
            }

            if ((ulong)message.Text.Length > size && (flags & NoError) == 0)
            {
                return Errno.E2BIG;
            }

            if (!copies)
            {
                queue.Take(message, task.ThreadGroup.Pid, Now(task));
            }

            return Errno.None;
        });
        if (result.IsError)
        {
            return result;
        }

        int count = (int)Math.Min((ulong)message!.Text.Length, size);
        errno = task.Memory.Write(arguments.Address(1), message.Type);
        errno = errno == Errno.None ? task.Memory.CopyOut(arguments.Address(1) + sizeof(long), message.Text.AsSpan(0, count)) : errno;
        return errno != Errno.None ? errno : count;
    }

    private static SyscallResult Wait(GuestTask task, MessageQueue queue, bool waits, Errno refusal, Func<Errno> attempt)
    {
        TaskWaitEntry entry = new(task) { Mask = PollEvents.POLLIN };
        queue.Changes.Add(entry);
        try
        {
            while (true)
            {
                lock (task.Ipc.Queues.Lock)
                {
                    if (queue.IsRemoved)
                    {
                        return Errno.EIDRM;
                    }

                    Errno tried = attempt();
                    if (tried != Errno.EAGAIN || !waits)
                    {
                        return tried == Errno.EAGAIN ? refusal : tried;
                    }
                }

                if (task.Block() != Errno.None)
                {
                    return Errno.EINTR; // never restarted (signal(7))
                }
            }
        }
        finally
        {
            queue.Changes.Remove(entry);
        }
    }

    private static SyscallResult Control(GuestTask task, in SyscallArguments arguments)
    {
        int command = arguments.Int(1) & ~IpcCommand.Version64;
        if (arguments.Int(0) < 0)
        {
            return Errno.EINVAL;
        }

        return command switch
        {
            IpcCommand.Info or IpcCommand.MsgInfo => IpcReports.Messages(task, arguments.Address(2), usage: command == IpcCommand.MsgInfo),
            IpcCommand.Stat or IpcCommand.MsgStat or IpcCommand.MsgStatAny => Stat(task, arguments.Int(0), command, arguments.Address(2)),
            IpcCommand.Set or IpcCommand.Remove => Change(task, arguments.Int(0), command, arguments.Address(2)),
            _ => Errno.EINVAL,
        };
    }

    private static SyscallResult Stat(GuestTask task, int id, int command, GuestAddress address)
    {
        Span<byte> buffer = stackalloc byte[120]; // struct msqid64_ds
        buffer.Clear();
        int told;
        lock (task.Ipc.Queues.Lock)
        {
            bool byIndex = command != IpcCommand.Stat;
            if (!IpcReports.Find(task.Ipc.Queues, task.Credentials, id, byIndex, anybody: command == IpcCommand.MsgStatAny).TryGet(out MessageQueue? queue, out Errno unknown))
            {
                return unknown;
            }

            told = byIndex ? queue.Id : 0;
            queue.WritePermissions(buffer);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[48..], queue.SendTime);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[56..], queue.ReceiveTime);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[64..], queue.ChangeTime);
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[72..], queue.Bytes);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[80..], queue.Count);
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[88..], queue.MaxBytes);
            BinaryPrimitives.WriteInt32LittleEndian(buffer[96..], queue.LastSender);
            BinaryPrimitives.WriteInt32LittleEndian(buffer[100..], queue.LastReceiver);
        }

        Errno errno = task.Memory.CopyOut(address, buffer);
        return errno != Errno.None ? errno : told;
    }

    private static SyscallResult Change(GuestTask task, int id, int command, GuestAddress address)
    {
        Span<byte> wanted = stackalloc byte[120];
        Errno errno = command == IpcCommand.Set ? task.Memory.CopyIn(address, wanted) : Errno.None;
        if (errno != Errno.None)
        {
            return errno;
        }

        IpcObjects<MessageQueue> queues = task.Ipc.Queues;
        lock (queues.Lock)
        {
            if (!queues.Find(id).TryGet(out MessageQueue? queue, out errno))
            {
                return errno;
            }

            if (!queue.IsOwnedBy(task.Credentials))
            {
                return Errno.EPERM;
            }

            if (command == IpcCommand.Remove)
            {
                queues.Remove(queue);
                queue.OnRemoved();
                return SyscallResult.Ok;
            }

            ulong maxBytes = BinaryPrimitives.ReadUInt64LittleEndian(wanted[88..]);
            if (maxBytes > MessageQueue.DefaultMaxBytes && (maxBytes > int.MaxValue || !task.Credentials.HasCapability(Capability.CAP_SYS_RESOURCE)))
            {
                return Errno.EPERM;
            }

            queue.SetPermissions(wanted, Now(task));
            queue.MaxBytes = maxBytes;

            queue.Changes.Notify(PollEvents.POLLIN);
        }

        return SyscallResult.Ok;
    }

    private static Result<MessageQueue> Find(GuestTask task, int id, uint permission)
    {
        lock (task.Ipc.Queues.Lock)
        {
            return !task.Ipc.Queues.Find(id).TryGet(out MessageQueue? queue, out Errno errno) ? errno : queue.Allows(task.Credentials, permission) ? queue : Errno.EACCES;
        }
    }

    private static long Now(GuestTask task) => task.Kernel.Clock.RealtimeNs / Timespec.NanosecondsPerSecond;
}
