using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Multicast;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter;

namespace Moat.Sockets.Inet;

/// <summary>A TCP socket (tcp(7)) as a file.</summary>
internal sealed class InetStream : Socket, IInetSocket
{
    private const int SolSocket = 1;

    private readonly InetFamily _family;
    private readonly SocketNotifier _notifier;

    /// <summary>A new socket.</summary>
    public InetStream(InetFamily family, GuestTask task, OpenFlags flags)
        : this(family, task, flags, new SocketNotifier(), null)
    {
    }

    private InetStream(InetFamily family, GuestTask task, OpenFlags flags, SocketNotifier notifier, TcpSocket? accepted)
        : base(family.Network, task, family.Number, SocketType.SOCK_STREAM, flags)
    {
        _family = family;
        _notifier = notifier;
        notifier.Waiters = Waiters;
        notifier.Socket = this;
        Tcp = accepted ?? new TcpSocket(family.Stack.Tcp, family.IsV6, notifier) { Owner = task.Credentials.EffectiveUid };
        Ip.Owner = new PacketOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid);
    }

    /// <summary>The stack's side.</summary>
    public TcpSocket Tcp { get; }

    /// <summary>TCP_INQ: each message tells how many bytes are left to read.</summary>
    public bool TellsQueued { get; set; }

    /// <inheritdoc/>
    public override (int Send, int Receive) Buffers => (Options.HasSendBuffer ? Options.SendBuffer : (int)Tcp.Buffers.Send, Options.HasReceiveBuffer ? Options.ReceiveBuffer : (int)Tcp.Buffers.Receive);

    /// <inheritdoc/>
    public override bool TakesFilters => true;

    /// <inheritdoc/>
    public override int Protocol => (int)IpProtocol.Tcp;

    /// <inheritdoc/>
    public bool IsV6 => _family.IsV6;

    /// <inheritdoc/>
    public NetworkStack Stack => _family.Stack;

    /// <inheritdoc/>
    public IpSocketOptions Ip => Tcp.Options.Ip;

    /// <inheritdoc/>
    public GroupMemberships? Groups => null;

    /// <inheritdoc/>
    public SocketErrors? Errors => null;

    /// <inheritdoc/>
    public int PathMtu => Tcp.Remote is null ? 0 : Tcp.Status.PathMtu;

    /// <inheritdoc/>
    public override bool IsListening => Tcp.State == TcpState.Listen;

    /// <inheritdoc/>
    public override byte[] LocalAddress => InetAddress.Format(Tcp.Local, _family.IsV6);

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => Tcp.Remote is { } remote ? InetAddress.Format(remote, _family.IsV6) : Errno.ENOTCONN;

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!InetAddress.ParseLocal(address, _family.IsV6).TryGet(out IpEndpoint local, out Errno errno))
        {
            return errno;
        }

        errno = InetPorts.Check(task, Network, local.Port);
        Tcp.ReusesAddress = Options.ReuseAddress;
        return errno != Errno.None ? errno : Tcp.Bind(local).ToErrno();
    }

    /// <inheritdoc/>
    public override Errno Listen(GuestTask task, int backlog)
    {
        int most = Network.MaxBacklog;
        Tcp.ReusesAddress = Options.ReuseAddress;
        return Tcp.Listen(backlog < 0 || backlog > most ? most : backlog).ToErrno();
    }

    /// <inheritdoc/>
    public override Result<Socket> Accept(GuestTask task)
    {
        NetError error = Tcp.Accept(out TcpSocket? accepted);
        if (error != NetError.None)
        {
            return error.ToErrno();
        }

        SocketNotifier notifier = new();
        InetStream socket = new(_family, task, OpenFlags.O_RDWR, notifier, accepted);
        accepted!.Observe(notifier);
        socket.Options.Inherit(Options);
        return socket;
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (InetAddress.FamilyOf(address) == AddressFamily.AF_UNSPEC && address.Length >= 2)
        {
            return Tcp.Disconnect().ToErrno();
        }

        return InetAddress.Parse(address, _family.IsV6).TryGet(out IpEndpoint remote, out Errno errno) ? Tcp.Connect(remote).ToErrno() : errno;
    }

    /// <inheritdoc/>
    public override Errno FinishConnect() => Tcp.FinishConnect().ToErrno();

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions) =>
        Tcp.Shutdown((directions & ShutdownDirections.Receive) != 0, (directions & ShutdownDirections.Send) != 0).ToErrno();

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        foreach (ControlMessage message in ancillary?.Messages ?? [])
        {
            if (message.Level == SolSocket)
            {
                return Errno.EINVAL; // those of other levels are nothing to TCP
            }
        }

        if ((flags & MessageFlags.MSG_FASTOPEN) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        IoSource bytes = new(source);
        NetError error = Tcp.Send(ref bytes, (flags & MessageFlags.MSG_MORE) != 0, (flags & MessageFlags.MSG_OOB) != 0, out long sent);
        source = bytes.Buffer;
        if (error != NetError.None)
        {
            return error == NetError.NotConnected ? Errno.EPIPE : error.ToErrno();
        }

        ancillary?.ReleaseFiles(); // they mean nothing here
        return sent;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        if ((flags & MessageFlags.MSG_ERRQUEUE) != 0)
        {
            return Errno.EAGAIN; // TCP tells of errors at once
        }

        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return ReceiveUrgent(ref destination, flags, ref message);
        }

        if ((flags & MessageFlags.MSG_TRUNC) != 0)
        {
            return Discard(ref destination);
        }

        IoSink room = new(destination);
        NetError error = Tcp.Receive(ref room, (flags & MessageFlags.MSG_PEEK) != 0, out long received);
        destination = room.Buffer;
        if (error == NetError.None && TellsQueued)
        {
            byte[] left = new byte[sizeof(int)];
            _ = OptionValue.WriteInt(Tcp.AvailableBytes, left);
            (message.Ancillary ??= new AncillaryData()).Add(InetLevel.IPPROTO_TCP, TcpOption.TCP_INQ, left);
        }

        return error == NetError.None ? received : error.ToErrno();
    }

    /// <inheritdoc/>
    public override Errno TakeError() => Tcp.TakeError().ToErrno();

    /// <inheritdoc/>
    public override Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value) => InetStreamOptions.Set(this, level, option, value);

    /// <inheritdoc/>
    public override Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value) =>
        OriginalDestination.Is(level, option, IsV6) ? OriginalDestination.Get(Stack, Tcp, level, value) : InetStreamOptions.Get(this, level, option, value);

    /// <inheritdoc/>
    public override void OnOptionsChanged()
    {
        Tcp.ReusesAddress = Options.ReuseAddress;
        Tcp.ReusesPort = Options.ReusePort;
        Tcp.Options.KeepAlive = Options.KeepAlive;
        Tcp.Options.OutOfBandInline = Options.OutOfBandInline;
        Tcp.Options.ReceiveLowWater = Options.ReceiveLowWater;
        Tcp.Options.Ip.Mark = Options.Mark;
        Tcp.Options.Ip.Filter = Options.Filter;
        Tcp.Options.Ip.BoundInterface = Options.BoundInterface;
        if (Options.HasSendBuffer)
        {
            Tcp.Options.SendBuffer = Options.SendBuffer;
            Tcp.Options.SendBufferIsFixed = true;
        }

        Tcp.Options.ReceiveBuffer = Options.HasReceiveBuffer ? Options.ReceiveBuffer : 0;
        Tcp.ApplyOptions();
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        const uint SIOCATMARK = 0x8905;
        return request == SIOCATMARK
            ? task.Memory.Write(new GuestAddress(argument), Tcp.IsAtUrgentMark ? 1 : 0)
            : InetIoctl.Handle(task, Network, request, argument, IsListening ? null : Tcp.AvailableBytes, (int)Tcp.UnacknowledgedBytes);
    }

    /// <summary>close(2) with SO_LINGER: what has been sent is acknowledged, or the time is up, before the last descriptor goes.</summary>
    public override Errno Flush(GuestTask task)
    {
        if (Options.Linger is not { On: not 0, Seconds: > 0 } || !IsLastReference || Tcp.AvailableBytes > 0 || Tcp.Shutdown(receive: false, send: true) != NetError.None)
        {
            return Errno.None;
        }

        long deadlineNs = task.Kernel.Clock.MonotonicNs + (Options.Linger.Seconds * 1_000_000_000L);
        TaskWaitEntry entry = new(task) { Mask = PollEvents.Writable | PollEvents.POLLERR | PollEvents.POLLHUP };
        AddWaiter(entry);
        while (Tcp.IsDraining && task.Block(deadlineNs) == Errno.None)
        {
        }

        RemoveWaiter(entry);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => SocketNotifier.ToPollEvents(Tcp.Readiness()) & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);

    /// <inheritdoc/>
    public override SocketDescription Describe()
    {
        TcpStatus status = Tcp.Status;
        bool isListening = status.State == TcpState.Listen;
        (int waiting, int backlog) = Tcp.AcceptQueue;
        IpEndpoint none = new(IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4, 0);
        return new SocketDescription
        {
            Family = Domain,
            Type = Type,
            Protocol = Protocol,
            Inode = Cookie,
            Owner = Owner,
            State = (int)status.State,
            Local = Tcp.Local,
            Remote = Tcp.Remote ?? none,
            ReceiveQueue = isListening ? waiting : Tcp.AvailableBytes,
            SendQueue = isListening ? backlog : Tcp.UnacknowledgedBytes,
            InterfaceIndex = Options.BoundInterface,
            IsV6Only = Tcp.IsV6Only,
            TypeOfService = Ip.TypeOfService,
            TrafficClass = Ip.TrafficClass,
            Mark = Options.Mark,
            Tcp = status,
            CongestionControl = Tcp.Options.CongestionControl,
            Buffers = Buffers,
        };
    }

    /// <inheritdoc/>
    protected override void OnClose() => Tcp.Close(abort: Options.Linger is { On: not 0, Seconds: 0 });

    private SyscallResult ReceiveUrgent(ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        NetError error = Tcp.ReceiveUrgent((flags & MessageFlags.MSG_PEEK) != 0, out byte? value);
        if (error != NetError.None || value is not { } received)
        {
            return error.ToErrno();
        }

        message.Flags |= MessageFlags.MSG_OOB;
        if (destination.IsEmpty)
        {
            message.Flags |= MessageFlags.MSG_TRUNC;
            return 0;
        }

        return (flags & MessageFlags.MSG_TRUNC) != 0 || destination.CopyFrom([received]).TryGet(out _, out Errno errno) ? 1 : errno;
    }

    // MSG_TRUNC of a stream: bytes are thrown away (tcp(7)).
    private SyscallResult Discard(ref IoBuffer destination)
    {
        NullSink sink = new(destination.Length);
        NetError error = Tcp.Receive(ref sink, peek: false, out long received);
        return error == NetError.None ? received : error.ToErrno();
    }

    private struct NullSink(long length) : IByteSink
    {
        public long Length { get; private set; } = length;

        public int CopyFrom(ReadOnlySpan<byte> source)
        {
            int count = (int)Math.Min(source.Length, Length);
            Length -= count;
            return count;
        }
    }
}
