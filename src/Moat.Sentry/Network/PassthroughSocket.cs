using System.Buffers;
using System.Buffers.Binary;
using Moat.Host;
using Moat.Host.Sockets;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;
using Moat.Sockets;
using Moat.Sockets.Inet;

namespace Moat.Sentry.Network;

/// <summary>A guest's socket that is a socket of the host (--network=host).</summary>
internal sealed class PassthroughSocket : Socket
{
    private const int MaxTransfer = 64 << 10; // of what is sent: more than any datagram; a stream takes the rest with the next call

    private readonly PassthroughFamily _family;
    private readonly int _fd;
    private volatile bool _isListening;
    private volatile bool _hasShutDownReceive;
    private volatile byte[]? _connecting;

    /// <summary>Takes a socket of the host over.</summary>
    public PassthroughSocket(PassthroughFamily family, GuestTask task, SocketType type, int fd, OpenFlags flags)
        : base(family.Network, task, family.Number, type, flags)
    {
        _family = family;
        _fd = fd;
        family.Poller.Add(fd, Waiters);
    }

    /// <inheritdoc/>
    public override int Protocol
    {
        get
        {
            const int SolSocket = 1;
            const int SO_PROTOCOL = 38;
            Span<byte> value = stackalloc byte[sizeof(int)];
            return HostSocket.GetOption(_fd, SolSocket, SO_PROTOCOL, value).TryGet(out _, out _) ? BinaryPrimitives.ReadInt32LittleEndian(value) : 0;
        }
    }

    /// <inheritdoc/>
    public override bool IsListening => _isListening;

    /// <inheritdoc/>
    public override byte[] LocalAddress => HostSocket.Name(_fd, ofPeer: false).TryGet(out byte[]? name, out _) ? name : [];

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => HostSocket.Name(_fd, ofPeer: true);

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address) => HostSocket.Bind(_fd, address);

    /// <inheritdoc/>
    public override Errno Listen(GuestTask task, int backlog)
    {
        Errno errno = HostSocket.Listen(_fd, backlog);
        _isListening |= errno == Errno.None;
        return errno;
    }

    /// <inheritdoc/>
    public override Result<Socket> Accept(GuestTask task)
    {
        if (!HostSocket.Accept(_fd).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        PassthroughSocket accepted = new(_family, task, Type, fd, OpenFlags.O_RDWR);
        accepted.Options.Inherit(Options);
        return accepted;
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        Errno errno = HostSocket.Connect(_fd, address);
        _connecting = errno == Errno.EINPROGRESS ? address.ToArray() : null;
        return errno;
    }

    // The same call again, as a program would that does not wait: it also ends the attempt for the host.
    /// <inheritdoc/>
    public override Errno FinishConnect() => _connecting is { } address && HostSocket.Connect(_fd, address) is var errno and not Errno.EALREADY ? errno : Errno.EINPROGRESS;

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions)
    {
        Errno errno = HostSocket.Shutdown(_fd, (int)directions - 1);
        _hasShutDownReceive |= errno == Errno.None && (directions & ShutdownDirections.Receive) != 0;
        return errno;
    }

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        const MessageFlags Known = MessageFlags.MSG_OOB | MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_NOSIGNAL | MessageFlags.MSG_MORE | MessageFlags.MSG_EOR | MessageFlags.MSG_DONTROUTE;
        if ((flags & ~Known) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (Type != SocketType.SOCK_STREAM && source.Length > MaxTransfer)
        {
            return Errno.EMSGSIZE;
        }

        Span<byte> control = stackalloc byte[PassthroughControl.MaxLength];
        if (!PassthroughControl.Encode(ancillary, control).TryGet(out int controlLength, out Errno errno))
        {
            return errno;
        }

        int wanted = (int)Math.Min(source.Length, MaxTransfer);
        byte[] copy = ArrayPool<byte>.Shared.Rent(wanted);
        IoBuffer peek = source;
        SyscallResult result = wanted > 0 && !peek.CopyTo(copy.AsSpan(0, wanted)).TryGet(out wanted, out errno) ? errno : HostSocket.Send(_fd, copy.AsSpan(0, wanted), address, control[..controlLength], (int)flags);
        ArrayPool<byte>.Shared.Return(copy);
        if (!result.IsError)
        {
            source.Advance(result.Raw);
        }

        return result;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        const MessageFlags Known = MessageFlags.MSG_OOB | MessageFlags.MSG_PEEK | MessageFlags.MSG_TRUNC | MessageFlags.MSG_ERRQUEUE;
        Span<byte> address = stackalloc byte[128];
        Span<byte> control = stackalloc byte[256];
        int told = (int)(flags & Known);
        SyscallResult result;
        long room = destination.Length;
        if (destination.IsEmpty)
        {
            result = HostSocket.Receive(_fd, default(Span<byte>), ref address, ref control, ref told);
        }
        else if (destination.TryGetOwn(out Span<byte> own))
        {
            result = HostSocket.Receive(_fd, own, ref address, ref control, ref told);
        }
        else
        {
            // Straight into the guest's pages: what a bad pointer cannot take must stay with the host.
            PinnedMemory pinned = default;
            Errno errno = destination.Pin(MemoryAccess.Write, ref pinned);
            room = pinned.Length;
            result = errno != Errno.None ? errno : HostSocket.Receive(_fd, pinned.Segments, ref address, ref control, ref told);
            pinned.Dispose();
        }

        if (result.IsError)
        {
            return result.Errno == Errno.EAGAIN && _hasShutDownReceive ? 0 : result; // a datagram socket of the host goes on waiting
        }

        bool discards = Type == SocketType.SOCK_STREAM && (flags & MessageFlags.MSG_TRUNC) != 0; // tcp(7)
        destination.Advance(discards ? 0 : Math.Min(result.Raw, room));
        message.Address = address.IsEmpty ? null : address.ToArray();
        message.Flags |= (MessageFlags)told & (MessageFlags.MSG_OOB | MessageFlags.MSG_TRUNC | MessageFlags.MSG_CTRUNC | MessageFlags.MSG_ERRQUEUE);
        message.Ancillary = PassthroughControl.Decode(control);
        return result;
    }

    /// <inheritdoc/>
    public override Errno TakeError() => PassthroughOptions.TakeError(_fd);

    /// <inheritdoc/>
    public override Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value) => PassthroughOptions.Set(_fd, level, option, value);

    /// <inheritdoc/>
    public override Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value) => PassthroughOptions.Get(_fd, level, option, value);

    /// <inheritdoc/>
    public override void OnOptionsChanged() => PassthroughOptions.Apply(_fd, Options);

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) =>
        InetIoctl.Handle(task, Network, request, argument, _isListening ? null : Ask(0x541b), Ask(0x5411)); // SIOCINQ, SIOCOUTQ

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => HostFile.Poll(_fd, mask, 0);

    /// <summary>What /proc/net tells: little, since the host keeps the rest.</summary>
    public override SocketDescription Describe()
    {
        const int Listening = 10; // TCP_LISTEN
        const int NotConnected = 7; // TCP_CLOSE
        return new SocketDescription
        {
            Family = Domain,
            Type = Type,
            Protocol = Protocol,
            Inode = Cookie,
            Owner = Owner,
            State = _isListening ? Listening : NotConnected,
        };
    }

    /// <inheritdoc/>
    protected override void OnClose()
    {
        _family.Poller.Remove(_fd);
        HostMemory.Close(_fd);
    }

    private int Ask(uint request)
    {
        Span<byte> value = stackalloc byte[sizeof(int)];
        return HostFile.Ioctl(_fd, request, value).IsError ? 0 : BinaryPrimitives.ReadInt32LittleEndian(value);
    }
}
