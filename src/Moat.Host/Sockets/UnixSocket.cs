using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Unix stream sockets of the host, with descriptors in messages: socket(2), socketpair(2), bind(2), accept4(2), sendmsg(2), recvmsg(2), unix(7). All are close-on-exec.</summary>
public static unsafe class UnixSocket
{
    /// <summary>SCM_MAX_FD of the kernel.</summary>
    public const int MaxDescriptors = 253;

    private const int AfUnix = 1;
    private const int SockStream = 1;
    private const int SockCloexec = 0x80000;
    private const int SendTimeoutSeconds = 10;
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int MsgNoSignal = 0x4000;
    private const int MsgCmsgCloexec = 0x40000000;
    private const int MsgCtrunc = 8;
    private const int HeaderSize = 16; // struct cmsghdr
    private const int PathLength = 108;

    /// <summary>Two connected sockets.</summary>
    public static Result<(int First, int Second)> CreatePair()
    {
        long pair = 0;

        // SAFETY: the kernel writes two ints into the eight bytes on this stack frame.
        Errno errno = HostCall.Invoke(SyscallNumber.socketpair, AfUnix, SockStream | SockCloexec, 0, (nint)(&pair)).Errno;
        return errno != Errno.None ? errno : ((int)pair, (int)(pair >> 32));
    }

    /// <summary>A listening socket, bound to a path that must not exist.</summary>
    /// <param name="path">At most 107 bytes.</param>
    /// <param name="backlog">How many connections wait at most.</param>
    public static Result<int> Listen(string path, int backlog)
    {
        if (!Open().TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        errno = WithAddress(SyscallNumber.bind, fd, path);
        if (errno == Errno.None)
        {
            errno = HostCall.Invoke(SyscallNumber.listen, fd, backlog).Errno;
        }

        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }

    /// <summary>A socket connected to whoever listens at a path. ECONNREFUSED if nobody does any more; EAGAIN if it does not accept for long, or later does not take what is sent.</summary>
    public static Result<int> Connect(string path)
    {
        if (!Open().TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        const int SendTimeout = 21; // SO_SNDTIMEO
        Timespec limit = new(SendTimeoutSeconds, 0); // laid out as a struct timeval

        // SAFETY: a structure on this stack frame, with its size.
        HostCall.Invoke(SyscallNumber.setsockopt, fd, SolSocket, SendTimeout, (nint)(&limit), sizeof(Timespec));
        do
        {
            errno = WithAddress(SyscallNumber.connect, fd, path);
        }
        while (errno == Errno.EINTR);

        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }

    /// <summary>The next connection of a listener.</summary>
    public static Result<int> Accept(int listener)
    {
        while (true)
        {
            SyscallResult result = HostCall.Invoke(SyscallNumber.accept4, listener, 0, 0, SockCloexec);
            if (result.Errno is not (Errno.EINTR or Errno.ECONNABORTED))
            {
                return result.IsError ? result.Errno : (int)result.Raw;
            }
        }
    }

    /// <summary>Sends all bytes; descriptors go with the first one. The sender keeps its own.</summary>
    public static Errno Send(int fd, ReadOnlySpan<byte> data, ReadOnlySpan<int> descriptors)
    {
        if (descriptors.Length > MaxDescriptors || (data.IsEmpty && !descriptors.IsEmpty))
        {
            return Errno.EINVAL;
        }

        Span<byte> control = stackalloc byte[HeaderSize + ((descriptors.Length * sizeof(int)) + 7 & ~7)];
        BinaryPrimitives.WriteInt64LittleEndian(control, HeaderSize + (descriptors.Length * sizeof(int)));
        BinaryPrimitives.WriteInt32LittleEndian(control[8..], SolSocket);
        BinaryPrimitives.WriteInt32LittleEndian(control[12..], ScmRights);
        MemoryMarshal.AsBytes(descriptors).CopyTo(control[HeaderSize..]);
        bool hasDescriptors = !descriptors.IsEmpty;
        while (!data.IsEmpty)
        {
            // SAFETY: data and control are pinned for the call; vector and header are on this stack frame.
            fixed (byte* dataPointer = data)
            fixed (byte* controlPointer = control)
            {
                IoVec vector = new((ulong)dataPointer, (ulong)data.Length);
                MessageHeader header = new() { Vectors = (nint)(&vector), VectorCount = 1 };
                if (hasDescriptors)
                {
                    header.Control = (nint)controlPointer;
                    header.ControlLength = control.Length;
                }

                SyscallResult result = HostCall.Invoke(SyscallNumber.sendmsg, fd, (nint)(&header), MsgNoSignal);
                if (result.IsError)
                {
                    if (result.Errno == Errno.EINTR)
                    {
                        continue;
                    }

                    return result.Errno;
                }

                hasDescriptors = false;
                data = data[(int)result.Raw..];
            }
        }

        return Errno.None;
    }

    /// <summary>Receives what has come, waiting for the first byte; descriptors that came with it are added to a list and belong to the caller.</summary>
    /// <returns>The number of bytes, 0 at the end of the stream; EMSGSIZE if more descriptors came than there may be (they are closed).</returns>
    public static SyscallResult Receive(int fd, Span<byte> destination, List<int> descriptors, int maxDescriptors)
    {
        Span<byte> control = stackalloc byte[HeaderSize + (MaxDescriptors * sizeof(int)) + 4];
        SyscallResult result;
        MessageHeader header;

        // SAFETY: both spans are pinned for the call and bound what the kernel writes; vector and header are on this stack frame.
        fixed (byte* dataPointer = destination)
        fixed (byte* controlPointer = control)
        {
            IoVec vector = new((ulong)dataPointer, (ulong)destination.Length);
            do
            {
                header = new MessageHeader { Vectors = (nint)(&vector), VectorCount = 1, Control = (nint)controlPointer, ControlLength = control.Length };
                result = HostCall.Invoke(SyscallNumber.recvmsg, fd, (nint)(&header), MsgCmsgCloexec);
            }
            while (result.Errno == Errno.EINTR);
        }

        if (result.IsError)
        {
            return result;
        }

        ReadOnlySpan<byte> received = control[..(int)header.ControlLength];
        while (received.Length >= HeaderSize)
        {
            long length = BinaryPrimitives.ReadInt64LittleEndian(received);
            if (length < HeaderSize || length > received.Length)
            {
                break;
            }

            if (BinaryPrimitives.ReadInt32LittleEndian(received[8..]) == SolSocket && BinaryPrimitives.ReadInt32LittleEndian(received[12..]) == ScmRights)
            {
                foreach (int descriptor in MemoryMarshal.Cast<byte, int>(received[HeaderSize..(int)length]))
                {
                    descriptors.Add(descriptor);
                }
            }

            received = received[Math.Min(received.Length, (int)(length + 7 & ~7))..];
        }

        if (descriptors.Count > maxDescriptors || (header.Flags & MsgCtrunc) != 0)
        {
            descriptors.ForEach(static descriptor => HostMemory.Close(descriptor));
            descriptors.Clear();
            return Errno.EMSGSIZE;
        }

        return result;
    }

    /// <summary>Ends both directions; whoever waits on the socket wakes up.</summary>
    public static void Shutdown(int fd)
    {
        const int Both = 2;
        HostCall.Invoke(SyscallNumber.shutdown, fd, Both);
    }

    private static Result<int> Open()
    {
        SyscallResult result = HostCall.Invoke(SyscallNumber.socket, AfUnix, SockStream | SockCloexec, 0);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    private static Errno WithAddress(SyscallNumber call, int fd, string path)
    {
        Span<byte> address = stackalloc byte[2 + PathLength];
        address.Clear();
        BinaryPrimitives.WriteInt16LittleEndian(address, AfUnix);
        if (path.Contains('\0') || !Encoding.UTF8.TryGetBytes(path, address[2..^1], out int written) || written == 0)
        {
            return Errno.ENAMETOOLONG;
        }

        // SAFETY: the address is on this stack frame, with its length.
        fixed (byte* pointer = address)
        {
            return HostCall.Invoke(call, fd, (nint)pointer, 2 + written + 1).Errno;
        }
    }

    // struct msghdr.
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public nint Name;
        public nint NameLength;
        public nint Vectors;
        public nint VectorCount;
        public nint Control;
        public nint ControlLength;
        public int Flags;
        public int Padding;
    }
}
