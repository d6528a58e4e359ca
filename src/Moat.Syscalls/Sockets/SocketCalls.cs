using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>socket(2), socketpair(2), bind(2), listen(2), accept(2), connect(2), getsockname(2), getpeername(2), shutdown(2).</summary>
internal static class SocketCalls
{
    private const int TypeMask = 0xf;
    private const int KnownFlags = (int)OpenFlags.O_CLOEXEC | (int)OpenFlags.O_NONBLOCK;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.socket, Create, Arg.Int, Arg.Hex, Arg.Int);
        table.Add(SyscallNumber.socketpair, CreatePair, Arg.Int, Arg.Hex, Arg.Int, Arg.FdPairOut);
        table.Add(SyscallNumber.bind, Bind, Arg.Fd, Arg.SocketAddress, Arg.Int);
        table.Add(SyscallNumber.listen, Listen, Arg.Fd, Arg.Int);
        table.Add(SyscallNumber.accept, static (GuestTask task, in SyscallArguments arguments) => Accept(task, arguments, 0), Arg.Fd, Arg.SocketAddressOut, Arg.Pointer);
        table.Add(SyscallNumber.accept4, static (GuestTask task, in SyscallArguments arguments) => Accept(task, arguments, arguments.Int(3)), Arg.Fd, Arg.SocketAddressOut, Arg.Pointer, Arg.Hex);
        table.Add(SyscallNumber.connect, Connect, Arg.Fd, Arg.SocketAddress, Arg.Int);
        table.Add(SyscallNumber.getsockname, LocalName, Arg.Fd, Arg.SocketAddressOut, Arg.Pointer);
        table.Add(SyscallNumber.getpeername, PeerName, Arg.Fd, Arg.SocketAddressOut, Arg.Pointer);
        table.Add(SyscallNumber.shutdown, Shutdown, Arg.Fd, Arg.Int);
    }

    private static SyscallResult Create(GuestTask task, in SyscallArguments arguments)
    {
        int type = arguments.Int(1);
        Errno errno = FindFamily(task, arguments.Int(0), type, out ISocketFamily family);
        if (errno != Errno.None)
        {
            return errno;
        }

        return family.Create(task, (SocketType)(type & TypeMask), arguments.Int(2), (OpenFlags)type & OpenFlags.O_NONBLOCK).TryGet(out Socket? socket, out errno)
            ? Install(task, socket, type) : errno;
    }

    private static SyscallResult CreatePair(GuestTask task, in SyscallArguments arguments)
    {
        int type = arguments.Int(1);
        Errno errno = FindFamily(task, arguments.Int(0), type, out ISocketFamily family);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!family.CreatePair(task, (SocketType)(type & TypeMask), arguments.Int(2), (OpenFlags)type & OpenFlags.O_NONBLOCK).TryGet(out (Socket First, Socket Second) pair, out errno))
        {
            return errno;
        }

        SyscallResult first = Install(task, pair.First, type);
        if (first.IsError)
        {
            pair.Second.Release();
            return first;
        }

        SyscallResult second = Install(task, pair.Second, type);
        if (second.IsError)
        {
            task.Files.Close(task, (int)first.Raw);
            return second;
        }

        ReadOnlySpan<int> numbers = [(int)first.Raw, (int)second.Raw];
        errno = task.Memory.CopyOut(arguments.Address(3), MemoryMarshal.AsBytes(numbers));
        if (errno != Errno.None)
        {
            task.Files.Close(task, (int)first.Raw);
            task.Files.Close(task, (int)second.Raw);
        }

        return errno;
    }

    private static SyscallResult Bind(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        Span<byte> address = stackalloc byte[SocketAddress.MaxLength];
        int length = arguments.Int(2);
        errno = SocketAddress.Read(task, arguments.Address(1), length, address);
        errno = errno == Errno.None ? socket.Bind(task, address[..length]) : errno;
        socket.Release();
        return errno;
    }

    private static SyscallResult Listen(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        errno = socket.Listen(task, arguments.Int(1));
        socket.Release();
        return errno;
    }

    private static SyscallResult Accept(GuestTask task, in SyscallArguments arguments, int flags)
    {
        if ((flags & ~KnownFlags) != 0)
        {
            return Errno.EINVAL;
        }

        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? listener, out Errno errno))
        {
            return errno;
        }

        try
        {
            Socket? accepted;
            long deadlineNs = SocketWait.DeadlineOf(task, listener.Options.ReceiveTimeoutNs);
            while (!listener.Accept(task).TryGet(out accepted, out errno))
            {
                if (errno != Errno.EAGAIN || listener.IsNonBlocking)
                {
                    return errno;
                }

                errno = task.WaitFor(listener, PollEvents.Readable, deadlineNs);
                if (errno != Errno.None)
                {
                    return SocketWait.Translate(errno, deadlineNs);
                }
            }

            accepted.StatusFlags |= (OpenFlags)flags & OpenFlags.O_NONBLOCK;
            if (!arguments.Address(1).IsNull)
            {
                errno = accepted.PeerAddress.TryGet(out byte[]? address, out _)
                    ? SocketAddress.Write(task, address, arguments.Address(1), arguments.Address(2)) : Errno.ECONNABORTED;
                if (errno != Errno.None)
                {
                    accepted.Release();
                    return errno;
                }
            }

            return Install(task, accepted, flags);
        }
        finally
        {
            listener.Release();
        }
    }

    private static SyscallResult Connect(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        try
        {
            Span<byte> buffer = stackalloc byte[SocketAddress.MaxLength];
            int length = arguments.Int(2);
            errno = SocketAddress.Read(task, arguments.Address(1), length, buffer);
            if (errno != Errno.None)
            {
                return errno;
            }

            ReadOnlySpan<byte> address = buffer[..length];
            errno = socket.Connect(task, address);
            return socket.IsNonBlocking ? errno : errno switch
            {
                Errno.EAGAIN => ConnectWaiting(task, socket, address),
                Errno.EINPROGRESS or Errno.EALREADY => AwaitConnection(task, socket),
                _ => errno,
            };
        }
        finally
        {
            socket.Release();
        }
    }

    // The peer has been asked: wait for its answer. An interrupted attempt goes on and is not made again (connect(2)).
    private static SyscallResult AwaitConnection(GuestTask task, Socket socket)
    {
        long deadlineNs = SocketWait.DeadlineOf(task, socket.Options.SendTimeoutNs);
        while (true)
        {
            Errno errno = socket.FinishConnect();
            if (errno != Errno.EINPROGRESS)
            {
                return errno;
            }

            errno = task.WaitFor(socket, PollEvents.Writable | PollEvents.POLLERR | PollEvents.POLLHUP, deadlineNs);
            if (errno != Errno.None)
            {
                return errno == Errno.ETIMEDOUT ? Errno.EINPROGRESS : SocketWait.Translate(errno, deadlineNs);
            }
        }
    }

    // The listener's queue is full: wait there for somebody to accept.
    private static SyscallResult ConnectWaiting(GuestTask task, Socket socket, ReadOnlySpan<byte> address)
    {
        long deadlineNs = SocketWait.DeadlineOf(task, socket.Options.SendTimeoutNs);
        if (!socket.FindListener(task, address).TryGet(out Socket? listener, out Errno errno))
        {
            return errno;
        }

        TaskWaitEntry entry = new(task) { Mask = PollEvents.Writable };
        listener.AddWaiter(entry);
        try
        {
            while ((errno = socket.Connect(task, address)) == Errno.EAGAIN)
            {
                errno = task.Block(deadlineNs);
                if (errno != Errno.None)
                {
                    return SocketWait.Translate(errno, deadlineNs);
                }
            }

            return errno;
        }
        finally
        {
            listener.RemoveWaiter(entry);
            listener.Release();
        }
    }

    private static SyscallResult LocalName(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        errno = SocketAddress.Write(task, socket.LocalAddress, arguments.Address(1), arguments.Address(2));
        socket.Release();
        return errno;
    }

    private static SyscallResult PeerName(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        errno = socket.PeerAddress.TryGet(out byte[]? address, out errno) ? SocketAddress.Write(task, address, arguments.Address(1), arguments.Address(2)) : errno;
        socket.Release();
        return errno;
    }

    private static SyscallResult Shutdown(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        int how = arguments.Int(1);
        errno = how is >= 0 and <= 2 ? socket.Shutdown((ShutdownDirections)(how + 1)) : Errno.EINVAL;
        socket.Release();
        return errno;
    }

    private static Errno FindFamily(GuestTask task, int domain, int type, out ISocketFamily family)
    {
        family = null!;
        if ((type & ~TypeMask & ~KnownFlags) != 0 || (type & TypeMask) > 10)
        {
            return Errno.EINVAL;
        }

        family = ((SocketNetwork)task.Network).Find(domain)!;
        return family is null ? Errno.EAFNOSUPPORT : Errno.None;
    }

    private static SyscallResult Install(GuestTask task, Socket socket, int flags)
    {
        socket.Network.Registry.Add(socket);
        return task.Files.Install(socket, (flags & (int)OpenFlags.O_CLOEXEC) != 0, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out Errno errno) ? fd : errno;
    }
}
