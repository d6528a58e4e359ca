using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>sendto(2), recvfrom(2), sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2).</summary>
internal static class Messages
{
    private const int MaxVectors = 1024;
    private const ulong MaxTransfer = 0x7ffff000;
    private const int BatchEntrySize = 64; // struct mmsghdr
    private const int BatchLengthOffset = 56;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.sendto, SendTo, Arg.Fd, Arg.BufferIn, Arg.Size, Arg.Hex, Arg.SocketAddress, Arg.Int);
        table.Add(SyscallNumber.recvfrom, ReceiveFrom, Arg.Fd, Arg.BufferOut, Arg.Size, Arg.Hex, Arg.SocketAddressOut, Arg.Pointer);
        table.Add(SyscallNumber.sendmsg, static (GuestTask task, in SyscallArguments arguments) => One(task, arguments, sends: true), Arg.Fd, Arg.MessageHeader, Arg.Hex);
        table.Add(SyscallNumber.recvmsg, static (GuestTask task, in SyscallArguments arguments) => One(task, arguments, sends: false), Arg.Fd, Arg.MessageHeader, Arg.Hex);
        table.Add(SyscallNumber.sendmmsg, static (GuestTask task, in SyscallArguments arguments) => Batch(task, arguments, sends: true), Arg.Fd, Arg.Pointer, Arg.UInt, Arg.Hex);
        table.Add(SyscallNumber.recvmmsg, static (GuestTask task, in SyscallArguments arguments) => Batch(task, arguments, sends: false), Arg.Fd, Arg.Pointer, Arg.UInt, Arg.Hex, Arg.Timespec);
    }

    private static SyscallResult SendTo(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        try
        {
            Span<byte> address = stackalloc byte[SocketAddress.MaxLength];
            int length = 0;
            if (!arguments.Address(4).IsNull)
            {
                length = arguments.Int(5);
                errno = SocketAddress.Read(task, arguments.Address(4), length, address);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            ReadOnlySpan<IoVec> vectors = [new IoVec(arguments[1], Math.Min(arguments.Size(2), MaxTransfer))];
            IoBuffer source = new(task.Memory, vectors);
            return Send(task, socket, ref source, (MessageFlags)arguments.UInt(3), address[..length], null);
        }
        finally
        {
            socket.Release();
        }
    }

    private static SyscallResult ReceiveFrom(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        try
        {
            ReadOnlySpan<IoVec> vectors = [new IoVec(arguments[1], Math.Min(arguments.Size(2), MaxTransfer))];
            IoBuffer destination = new(task.Memory, vectors);
            ReceivedMessage message = default;
            SyscallResult result = Receive(task, socket, ref destination, (MessageFlags)arguments.UInt(3), ref message);
            message.Ancillary?.ReleaseFiles();
            if (!result.IsError && !arguments.Address(4).IsNull)
            {
                errno = SocketAddress.Write(task, message.Address ?? [], arguments.Address(4), arguments.Address(5));
                return errno == Errno.None ? result : errno;
            }

            return result;
        }
        finally
        {
            socket.Release();
        }
    }

    private static SyscallResult One(GuestTask task, in SyscallArguments arguments, bool sends)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        MessageFlags flags = (MessageFlags)arguments.UInt(2);
        SyscallResult result = sends ? SendMessage(task, socket, arguments.Address(1), flags) : ReceiveMessage(task, socket, arguments.Address(1), flags);
        socket.Release();
        return result;
    }

    private static SyscallResult Batch(GuestTask task, in SyscallArguments arguments, bool sends)
    {
        long deadlineNs = long.MaxValue;
        if (!sends && !Guest.DeadlineOf(task, arguments.Address(4)).TryGet(out deadlineNs, out Errno errno))
        {
            return errno;
        }

        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out errno))
        {
            return errno;
        }

        try
        {
            MessageFlags flags = (MessageFlags)arguments.UInt(3);
            bool waitsForOne = (flags & MessageFlags.MSG_WAITFORONE) != 0;
            flags &= ~MessageFlags.MSG_WAITFORONE;
            uint count = Math.Min(arguments.UInt(2), MaxVectors);
            int done = 0;
            for (; done < count; done++)
            {
                GuestAddress entry = new(arguments[1] + (ulong)(done * BatchEntrySize));
                SyscallResult result = sends ? SendMessage(task, socket, entry, flags) : ReceiveMessage(task, socket, entry, flags);
                if (result.IsError)
                {
                    return done > 0 ? done : result;
                }

                errno = task.Memory.Write(new GuestAddress(entry.Value + BatchLengthOffset), (int)result.Raw);
                if (errno != Errno.None)
                {
                    return done > 0 ? done : errno;
                }

                flags |= waitsForOne ? MessageFlags.MSG_DONTWAIT : 0;

                // The time limit counts between messages only (recvmmsg(2), BUGS).
                if (deadlineNs != long.MaxValue && task.Kernel.Clock.MonotonicNs >= deadlineNs)
                {
                    return done + 1;
                }
            }

            return done;
        }
        finally
        {
            socket.Release();
        }
    }

    private static SyscallResult SendMessage(GuestTask task, Socket socket, GuestAddress at, MessageFlags flags)
    {
        Errno errno = task.Memory.Read(at, out MessageHeader header);
        if (errno != Errno.None)
        {
            return errno;
        }

        Span<byte> address = stackalloc byte[SocketAddress.MaxLength];
        int length = header.Name == 0 ? 0 : Math.Min(header.NameLength, SocketAddress.MaxLength);
        errno = length > 0 || header.NameLength < 0 ? SocketAddress.Read(task, new GuestAddress(header.Name), length, address) : Errno.None;
        if (errno != Errno.None)
        {
            return errno;
        }

        if (header.VectorCount > MaxVectors)
        {
            return Errno.EMSGSIZE;
        }

        Span<IoVec> vectors = header.VectorCount <= 16 ? stackalloc IoVec[(int)header.VectorCount] : new IoVec[header.VectorCount];
        errno = ReadVectors(task, header, vectors);
        if (errno == Errno.None)
        {
            errno = ControlMessages.Read(task, new GuestAddress(header.Control), header.Control == 0 ? 0 : header.ControlLength, out AncillaryData? ancillary);
            if (errno == Errno.None)
            {
                IoBuffer source = new(task.Memory, vectors);
                return Send(task, socket, ref source, flags, address[..length], ancillary);
            }
        }

        return errno;
    }

    private static SyscallResult ReceiveMessage(GuestTask task, Socket socket, GuestAddress at, MessageFlags flags)
    {
        Errno errno = task.Memory.Read(at, out MessageHeader header);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (header.NameLength < 0)
        {
            return Errno.EINVAL;
        }

        if (header.VectorCount > MaxVectors)
        {
            return Errno.EMSGSIZE;
        }

        Span<IoVec> vectors = header.VectorCount <= 16 ? stackalloc IoVec[(int)header.VectorCount] : new IoVec[header.VectorCount];
        errno = ReadVectors(task, header, vectors);
        if (errno != Errno.None)
        {
            return errno;
        }

        IoBuffer destination = new(task.Memory, vectors);
        ReceivedMessage message = default;
        SyscallResult result = Receive(task, socket, ref destination, flags, ref message);
        if (result.IsError)
        {
            message.Ancillary?.ReleaseFiles();
            return result;
        }

        ulong controlLength = 0;
        MessageFlags told = message.Flags | (flags & MessageFlags.MSG_CMSG_CLOEXEC);
        if (message.Ancillary is { } ancillary)
        {
            ulong room = header.Control == 0 ? 0 : header.ControlLength;
            bool isCut = ControlMessages.Write(task, new GuestAddress(header.Control), room, ancillary, (flags & MessageFlags.MSG_CMSG_CLOEXEC) != 0, out controlLength);
            told |= isCut ? MessageFlags.MSG_CTRUNC : 0;
        }

        if (header.Name != 0)
        {
            ReadOnlySpan<byte> address = message.Address;
            errno = task.Memory.CopyOut(new GuestAddress(header.Name), address[..Math.Min(header.NameLength, address.Length)]);
            errno = errno == Errno.None ? task.Memory.Write(new GuestAddress(at.Value + MessageHeader.NameLengthOffset), address.Length) : errno;
        }

        errno = errno == Errno.None ? task.Memory.Write(new GuestAddress(at.Value + MessageHeader.FlagsOffset), (uint)told) : errno;
        errno = errno == Errno.None ? task.Memory.Write(new GuestAddress(at.Value + MessageHeader.ControlLengthOffset), controlLength) : errno;
        return errno == Errno.None ? result : errno;
    }

    private static Errno ReadVectors(GuestTask task, in MessageHeader header, Span<IoVec> vectors)
    {
        Errno errno = task.Memory.CopyIn(new GuestAddress(header.Vectors), MemoryMarshal.AsBytes(vectors));
        ulong total = 0;
        for (int i = 0; i < vectors.Length && errno == Errno.None; i++)
        {
            errno = vectors[i].Length > long.MaxValue ? Errno.EINVAL : Errno.None;
            ulong length = Math.Min(vectors[i].Length, MaxTransfer - total);
            vectors[i] = vectors[i] with { Length = length };
            total += length;
        }

        return errno;
    }

    // A blocking send goes on until everything has gone; an interruption ends it with what has.
    private static SyscallResult Send(GuestTask task, Socket socket, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        bool waits = !socket.IsNonBlocking && (flags & MessageFlags.MSG_DONTWAIT) == 0;
        long deadlineNs = SocketWait.DeadlineOf(task, socket.Options.SendTimeoutNs);
        SyscallResult result = socket.Send(task, ref source, flags, address, ancillary);
        long done = result.IsError ? 0 : result.Raw;
        bool isStream = socket.Type == SocketType.SOCK_STREAM;
        if (waits && (result.Errno == Errno.EAGAIN || (!result.IsError && isStream && !source.IsEmpty)))
        {
            // Not by readiness: a blocked send waits for less room than poll(2) tells of, or for the room of a receiver it is not connected to.
            TaskWaitEntry entry = new(task) { Mask = PollEvents.Writable };
            socket.AddWaiter(entry);
            try
            {
                while (true)
                {
                    result = socket.Send(task, ref source, flags, address, done == 0 ? ancillary : null);
                    done += result.IsError ? 0 : result.Raw;
                    if (result.IsError ? result.Errno != Errno.EAGAIN : !isStream || source.IsEmpty)
                    {
                        break;
                    }

                    Errno errno = task.Block(deadlineNs);
                    if (errno != Errno.None)
                    {
                        result = SocketWait.Translate(errno, deadlineNs);
                        break;
                    }
                }
            }
            finally
            {
                socket.RemoveWaiter(entry);
            }
        }

        if (done > 0)
        {
            return done;
        }

        if (result.IsError)
        {
            ancillary?.ReleaseFiles();
        }

        if (result.Errno == Errno.EPIPE && (flags & MessageFlags.MSG_NOSIGNAL) == 0 && socket.Type == SocketType.SOCK_STREAM)
        {
            lock (task.Kernel.TaskLock)
            {
                SignalSender.SendToTask(task, SignalInfo.FromSender(Signal.SIGPIPE, SignalInfo.SiUser, task.ThreadGroup.Pid, task.Credentials.RealUid));
            }
        }

        return result;
    }

    private static SyscallResult Receive(GuestTask task, Socket socket, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        TaskWaitEntry? entry = null;
        try
        {
            return Receive(task, socket, ref destination, flags, ref message, ref entry);
        }
        finally
        {
            if (entry is not null)
            {
                socket.RemoveWaiter(entry);
            }
        }
    }

    private static SyscallResult Receive(GuestTask task, Socket socket, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message, ref TaskWaitEntry? entry)
    {
        const PollEvents Arrivals = PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR | PollEvents.POLLRDHUP;
        bool waits = !socket.IsNonBlocking && (flags & (MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_ERRQUEUE | MessageFlags.MSG_OOB)) == 0; // urgent data is never waited for
        bool waitsForAll = waits && (flags & (MessageFlags.MSG_WAITALL | MessageFlags.MSG_PEEK)) == MessageFlags.MSG_WAITALL && socket.Type == SocketType.SOCK_STREAM;
        bool waitsForSome = waits && socket.Type == SocketType.SOCK_STREAM && (flags & (MessageFlags.MSG_PEEK | MessageFlags.MSG_OOB)) == 0;
        long wanted = waitsForAll ? destination.Length : waitsForSome ? Math.Min(socket.Options.ReceiveLowWater, destination.Length) : 0;
        long deadlineNs = SocketWait.DeadlineOf(task, socket.Options.ReceiveTimeoutNs);
        long done = 0;
        while (true)
        {
            SyscallResult result = socket.Receive(task, ref destination, flags, ref message);
            if (!result.IsError)
            {
                done += result.Raw;
                bool hasFiles = message.Ancillary is { Files.Count: > 0 };
                if (done >= wanted || result.Raw == 0 || destination.IsEmpty || hasFiles)
                {
                    return done;
                }

                continue;
            }

            if (result.Errno != Errno.EAGAIN || !waits)
            {
                return done > 0 ? done : result;
            }

            Errno errno;
            if (socket.Options.ReceiveLowWater > 1)
            {
                // Less than what poll(2) tells of may be all that is still wanted: every arrival counts, also one that came before the entry was there.
                if (entry is null)
                {
                    entry = new TaskWaitEntry(task) { Mask = Arrivals };
                    socket.AddWaiter(entry);
                    continue;
                }

                errno = task.Block(deadlineNs);
            }
            else
            {
                errno = task.WaitFor(socket, Arrivals, deadlineNs);
            }

            if (errno != Errno.None)
            {
                return done > 0 ? done : SocketWait.Translate(errno, deadlineNs);
            }
        }
    }
}
