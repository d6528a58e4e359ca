using System.Buffers.Binary;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Icmp;
using Moat.Netstack.Multicast;
using Moat.Netstack.Packets;
using Moat.Netstack.Raw;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Sockets.Inet;

/// <summary>A raw socket (raw(7)) or one for echoes (icmp(7)) as a file.</summary>
internal sealed class InetMessages : Socket, IInetSocket
{
    private const int SolRaw = 255;
    private const int IcmpFilter = 1;
    private const int IcmpV6Filter = 1;

    private readonly InetFamily _family;
    private readonly MessageSocket _socket;

    /// <summary>A new socket: raw, or for echoes.</summary>
    public InetMessages(InetFamily family, GuestTask task, SocketType type, IpProtocol protocol, OpenFlags flags)
        : base(family.Network, task, family.Number, type, flags)
    {
        _family = family;
        Options.ReuseAddress = type == SocketType.SOCK_RAW; // as in Linux: it means nothing without ports
        SocketNotifier notifier = new() { Waiters = Waiters };
        _socket = type == SocketType.SOCK_RAW ? new RawSocket(family.Stack, family.IsV6, protocol, notifier) : new PingSocket(family.Stack, family.IsV6, notifier);
        Ip.Owner = new PacketOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid);
    }

    /// <inheritdoc/>
    public override bool TakesFilters => true;

    /// <inheritdoc/>
    public override int Protocol => (int)_socket.Protocol;

    /// <inheritdoc/>
    public bool IsV6 => _family.IsV6;

    /// <inheritdoc/>
    public NetworkStack Stack => _family.Stack;

    /// <inheritdoc/>
    public IpSocketOptions Ip => _socket.Options;

    /// <inheritdoc/>
    public GroupMemberships? Groups => _socket.Groups;

    /// <inheritdoc/>
    public SocketErrors? Errors => _socket.Errors;

    /// <inheritdoc/>
    public int PathMtu => _socket.Remote is { } remote && Stack.Decide(remote, null, Ip.BoundInterface, out RouteDecision route) == NetError.None ? route.Mtu : 0;

    /// <inheritdoc/>
    public override byte[] LocalAddress => InetAddress.Format(_socket.Local, _family.IsV6);

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => _socket.Remote is { } remote ? InetAddress.Format(new IpEndpoint(remote, 0), _family.IsV6) : Errno.ENOTCONN;

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!InetAddress.ParseLocal(address, _family.IsV6).TryGet(out IpEndpoint local, out Errno errno))
        {
            return errno;
        }

        return IsOfFamily(local.Address) ? _socket.Bind(local).ToErrno() : Errno.EINVAL;
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (InetAddress.FamilyOf(address) == AddressFamily.AF_UNSPEC && address.Length >= 2)
        {
            return _socket.Connect(null).ToErrno();
        }

        if (!InetAddress.Parse(address, _family.IsV6).TryGet(out IpEndpoint remote, out Errno errno))
        {
            return errno;
        }

        return IsOfFamily(remote.Address) ? _socket.Connect(remote.Address).ToErrno() : Errno.EINVAL;
    }

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions) => _socket.Remote is null ? Errno.ENOTCONN : Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        Errno errno = InetSendControl.Read(ancillary, _family.IsV6, isUdp: false, out DatagramControl control);
        if (errno != Errno.None)
        {
            return errno;
        }

        IpAddress? destination = null;
        if (!address.IsEmpty)
        {
            if (!InetAddress.Parse(address, _family.IsV6).TryGet(out IpEndpoint parsed, out errno))
            {
                return errno;
            }

            if (!IsOfFamily(parsed.Address))
            {
                return Errno.EINVAL;
            }

            destination = parsed.Address;
        }

        IoSource bytes = new(source);
        NetError error = _socket.Send(ref bytes, destination, control, out long sent);
        source = bytes.Buffer;
        if (error != NetError.None)
        {
            return error.ToErrno();
        }

        ancillary?.ReleaseFiles(); // they mean nothing here
        return sent;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if ((flags & MessageFlags.MSG_ERRQUEUE) != 0)
        {
            return InetErrorQueue.Receive(this, _socket.Errors, ref destination, ref message, task.Kernel.Clock);
        }

        IoSink room = new(destination);
        NetError error = _socket.Receive(ref room, (flags & MessageFlags.MSG_PEEK) != 0, out ReceivedDatagram received);
        long copied = destination.Length - room.Buffer.Length;
        destination = room.Buffer;
        if (error != NetError.None)
        {
            return error.ToErrno();
        }

        message.Address = InetAddress.Format(received.Source, _family.IsV6);
        InetControl.Add(ref message, received, 0, _socket.Options, Options.Timestamps, _family.IsV6, task.Kernel.Clock);
        message.Flags |= received.IsTruncated ? MessageFlags.MSG_TRUNC : 0;
        return (flags & MessageFlags.MSG_TRUNC) != 0 ? received.Length : copied;
    }

    /// <inheritdoc/>
    public override Errno TakeError() => _socket.TakeError().ToErrno();

    /// <inheritdoc/>
    public override Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value)
    {
        if (_family.Filters.Has(level, option, isSet: true))
        {
            return _family.Filters.Set(task, option, value);
        }

        if (level == SolRaw && option == IcmpFilter && _socket is RawSocket { Protocol: IpProtocol.Icmp } raw)
        {
            Span<byte> filter = stackalloc byte[sizeof(uint)];
            filter.Clear();
            value[..Math.Min(value.Length, filter.Length)].CopyTo(filter);
            raw.IcmpFilter = BinaryPrimitives.ReadUInt32LittleEndian(filter);
            return Errno.None;
        }

        if (level == (int)IpProtocol.IcmpV6 && option == IcmpV6Filter && _socket is RawSocket { Protocol: IpProtocol.IcmpV6 } rawV6)
        {
            rawV6.SetIcmpV6Filter(value);
            return Errno.None;
        }

        return InetDatagramOptions.SetIp(this, level, option, value);
    }

    /// <inheritdoc/>
    public override Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value)
    {
        if (_family.Filters.Has(level, option, isSet: false))
        {
            return _family.Filters.Get(task, option, value);
        }

        if (level == SolRaw && option == IcmpFilter && _socket is RawSocket { Protocol: IpProtocol.Icmp } raw)
        {
            return OptionValue.WriteInt((int)raw.IcmpFilter, value);
        }

        return InetDatagramOptions.GetIp(this, level, option, value);
    }

    /// <inheritdoc/>
    public override int LargeOptionLimit(int level, int option) => _family.Filters.Has(level, option, isSet: false) ? XtOptions.MaxLength : 0;

    /// <inheritdoc/>
    public override void OnOptionsChanged()
    {
        InetDatagramOptions.Apply(Options, _socket.Options);
        _socket.Queue.Limit = Options.ReceiveBuffer;
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) => InetIoctl.Handle(task, Network, request, argument, _socket.Queue.NextLength, 0);

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => SocketNotifier.ToPollEvents(_socket.Readiness()) & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);

    /// <inheritdoc/>
    public override SocketDescription Describe()
    {
        IpEndpoint local = _socket.Local;
        return new SocketDescription
        {
            Family = Domain,
            Type = Type,
            Protocol = Protocol,
            Inode = Cookie,
            Owner = Owner,
            State = (int)(_socket.Remote is null ? TcpState.Closed : TcpState.Established),
            Local = Type == SocketType.SOCK_RAW ? local with { Port = (ushort)Protocol } : local,
            Remote = new IpEndpoint(_socket.Remote ?? (IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4), 0),
            ReceiveQueue = _socket.Queue.HeldBytes,
            InterfaceIndex = Options.BoundInterface,
            Drops = _socket.Queue.Dropped,
            TypeOfService = Ip.TypeOfService,
            TrafficClass = Ip.TrafficClass,
            Mark = Options.Mark,
            Buffers = (Options.SendBuffer, Options.ReceiveBuffer),
        };
    }

    /// <inheritdoc/>
    protected override void OnClose() => _socket.Dispose();

    // A mapped IPv4 address is nothing for a raw socket of AF_INET6.
    private bool IsOfFamily(IpAddress address) => address.IsV4 != _family.IsV6;
}
