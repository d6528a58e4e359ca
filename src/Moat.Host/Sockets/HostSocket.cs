using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Internet sockets of the host on behalf of a guest (--network=host): socket(2), bind(2), connect(2), listen(2), accept4(2), getsockname(2), shutdown(2), sendmsg(2), recvmsg(2),
/// getsockopt(2). None of them waits.</summary>
public static unsafe class HostSocket
{
    private const int NonBlockCloexec = 0x80800;
    private const int DontWait = 0x40; // MSG_DONTWAIT
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL

    /// <summary>socket(2).</summary>
    public static Result<int> Create(int domain, int type, int protocol) => ToDescriptor(HostCall.Invoke(SyscallNumber.socket, domain, type | NonBlockCloexec, protocol));

    /// <summary>bind(2).</summary>
    public static Errno Bind(int fd, ReadOnlySpan<byte> address) => WithAddress(SyscallNumber.bind, fd, address);

    /// <summary>connect(2).</summary>
    public static Errno Connect(int fd, ReadOnlySpan<byte> address) => WithAddress(SyscallNumber.connect, fd, address);

    /// <summary>listen(2).</summary>
    public static Errno Listen(int fd, int backlog) => HostCall.Invoke(SyscallNumber.listen, fd, backlog).Errno;

    /// <summary>accept4(2).</summary>
    public static Result<int> Accept(int fd) => ToDescriptor(HostCall.Invoke(SyscallNumber.accept4, fd, 0, 0, NonBlockCloexec));

    /// <summary>shutdown(2).</summary>
    public static Errno Shutdown(int fd, int how) => HostCall.Invoke(SyscallNumber.shutdown, fd, how).Errno;

    /// <summary>getsockname(2), or getpeername(2).</summary>
    public static Result<byte[]> Name(int fd, bool ofPeer)
    {
        Span<byte> buffer = stackalloc byte[128];
        int length = buffer.Length;

        // SAFETY: the buffer and its length are on this stack frame and bound what the kernel writes.
        fixed (byte* pointer = buffer)
        {
            Errno errno = HostCall.Invoke(ofPeer ? SyscallNumber.getpeername : SyscallNumber.getsockname, fd, (nint)pointer, (nint)(&length)).Errno;
            return errno != Errno.None ? errno : buffer[..Math.Min(length, buffer.Length)].ToArray();
        }
    }

    /// <summary>setsockopt(2). The caller chooses options whose values hold no addresses.</summary>
    public static Errno SetOption(int fd, int level, int option, ReadOnlySpan<byte> value)
    {
        // SAFETY: the span bounds what the kernel reads and is pinned for the call.
        fixed (byte* pointer = value)
        {
            return HostCall.Invoke(SyscallNumber.setsockopt, fd, level, option, (nint)pointer, value.Length).Errno;
        }
    }

    /// <summary>getsockopt(2), of the same options.</summary>
    /// <returns>How many bytes were written.</returns>
    public static Result<int> GetOption(int fd, int level, int option, Span<byte> value)
    {
        int length = value.Length;

        // SAFETY: the span and its length bound what the kernel writes; both stay for the call.
        fixed (byte* pointer = value)
        {
            Errno errno = HostCall.Invoke(SyscallNumber.getsockopt, fd, level, option, (nint)pointer, (nint)(&length)).Errno;
            return errno != Errno.None ? errno : length;
        }
    }

    /// <summary>sendmsg(2).</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="address">To whom; empty for the peer.</param>
    /// <param name="control">Control messages that hold no descriptors.</param>
    /// <param name="flags">MSG_*.</param>
    public static SyscallResult Send(int fd, ReadOnlySpan<byte> data, ReadOnlySpan<byte> address, ReadOnlySpan<byte> control, int flags)
    {
        // SAFETY: all spans are pinned for the call; vector and header are on this stack frame.
        fixed (byte* bytes = data, name = address, ancillary = control)
        {
            IoVec vector = new((ulong)bytes, (ulong)data.Length);
            Message message = new() { Name = (nint)name, NameLength = address.Length, Vectors = (nint)(&vector), VectorCount = 1, Control = (nint)ancillary, ControlLength = control.Length };
            return HostCall.Invoke(SyscallNumber.sendmsg, fd, (nint)(&message), flags | DontWait | NoSignal);
        }
    }

    /// <summary>recvmsg(2).</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="data">Where to: memory that the caller holds.</param>
    /// <param name="address">Receives the sender; cut to its length.</param>
    /// <param name="control">Receives control messages; cut likewise.</param>
    /// <param name="flags">MSG_*; afterwards those of the message.</param>
    public static SyscallResult Receive(int fd, scoped ReadOnlySpan<IoVec> data, ref Span<byte> address, ref Span<byte> control, ref int flags)
    {
        // SAFETY: all spans are pinned for the call and bound what the kernel writes, as do the ranges, which the caller holds; the header is on this stack frame.
        fixed (IoVec* vectors = data)
        fixed (byte* name = address, ancillary = control)
        {
            Message message = new() { Name = (nint)name, NameLength = address.Length, Vectors = (nint)vectors, VectorCount = data.Length, Control = (nint)ancillary, ControlLength = control.Length };
            SyscallResult result = HostCall.Invoke(SyscallNumber.recvmsg, fd, (nint)(&message), flags | DontWait);
            address = address[..(result.IsError ? 0 : Math.Min(message.NameLength, address.Length))];
            control = control[..(result.IsError ? 0 : (int)message.ControlLength)];
            flags = message.Flags;
            return result;
        }
    }

    /// <summary>As above, into memory of the Sentry.</summary>
    public static SyscallResult Receive(int fd, Span<byte> data, ref Span<byte> address, ref Span<byte> control, ref int flags)
    {
        // SAFETY: the span is pinned for the call.
        fixed (byte* bytes = data)
        {
            return Receive(fd, [new IoVec((ulong)bytes, (ulong)data.Length)], ref address, ref control, ref flags);
        }
    }

    private static Result<int> ToDescriptor(SyscallResult result) => result.IsError ? result.Errno : (int)result.Raw;

    private static Errno WithAddress(SyscallNumber call, int fd, ReadOnlySpan<byte> address)
    {
        // SAFETY: the span is pinned for the call and has the length that is told.
        fixed (byte* pointer = address)
        {
            return HostCall.Invoke(call, fd, (nint)pointer, address.Length).Errno;
        }
    }

    // struct msghdr.
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public nint Name;
        public int NameLength;
        private readonly int _padding;
        public nint Vectors;
        public nint VectorCount;
        public nint Control;
        public nint ControlLength;
        public int Flags;
        private readonly int _padding2;
    }
}
