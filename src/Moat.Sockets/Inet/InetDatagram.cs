using System.Buffers;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Multicast;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>A UDP socket (udp(7)), or one of UDP-Lite (udplite(7)), as a file.</summary>
internal sealed class InetDatagram : Socket, IInetSocket
{
    private readonly InetFamily _family;

    /// <summary>A new socket.</summary>
    public InetDatagram(InetFamily family, GuestTask task, OpenFlags flags, bool isLite = false)
        : base(family.Network, task, family.Number, SocketType.SOCK_DGRAM, flags)
    {
        _family = family;
        Udp = new UdpSocket(isLite ? family.Stack.UdpLite : family.Stack.Udp, family.IsV6, new SocketNotifier { Waiters = Waiters }) { Owner = task.Credentials.EffectiveUid };
        Ip.Owner = new PacketOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid);
    }

    /// <summary>The stack's side.</summary>
    public UdpSocket Udp { get; }

    /// <inheritdoc/>
    public override bool TakesFilters => true;

    /// <inheritdoc/>
    public override int Protocol => (int)(Udp.IsLite ? IpProtocol.UdpLite : IpProtocol.Udp);

    /// <inheritdoc/>
    public override byte[] LocalAddress => InetAddress.Format(Udp.Local, _family.IsV6);

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => Udp.Remote is { } remote ? InetAddress.Format(remote, _family.IsV6) : Errno.ENOTCONN;

    /// <inheritdoc/>
    public bool IsV6 => _family.IsV6;

    /// <inheritdoc/>
    public NetworkStack Stack => _family.Stack;

    /// <inheritdoc/>
    public IpSocketOptions Ip => Udp.Options;

    /// <inheritdoc/>
    public GroupMemberships? Groups => Udp.Groups;

    /// <inheritdoc/>
    public SocketErrors? Errors => Udp.Errors;

    /// <inheritdoc/>
    public int PathMtu => Udp.PathMtu;

    /// <summary>UDP_SEGMENT: the size of the datagrams that one write is cut into; 0 for one datagram.</summary>
    public int SegmentSize { get; set; }

    /// <summary>UDP_GRO: takes runs of datagrams as one. Loopback and links here join none, as a kernel whose interfaces cannot.</summary>
    public bool TakesRuns { get; set; }

    /// <summary>A datagram of several calls.</summary>
    public InetCork Cork { get; } = new();

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!InetAddress.ParseLocal(address, _family.IsV6).TryGet(out IpEndpoint local, out Errno errno))
        {
            return errno;
        }

        errno = InetPorts.Check(task, Network, local.Port);
        return errno != Errno.None ? errno : Udp.Bind(local).ToErrno();
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (InetAddress.FamilyOf(address) == AddressFamily.AF_UNSPEC && address.Length >= 2)
        {
            return Udp.Connect(null).ToErrno();
        }

        return InetAddress.Parse(address, _family.IsV6).TryGet(out IpEndpoint remote, out Errno errno) ? Udp.Connect(remote).ToErrno() : errno;
    }

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions) =>
        Udp.Shutdown((directions & ShutdownDirections.Receive) != 0, (directions & ShutdownDirections.Send) != 0).ToErrno();

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        Errno errno = InetSendControl.Read(ancillary, _family.IsV6, isUdp: !Udp.IsLite, out DatagramControl control);
        if (errno != Errno.None)
        {
            return errno;
        }

        IpEndpoint? destination = null;
        if (!address.IsEmpty)
        {
            if (!InetAddress.Parse(address, _family.IsV6).TryGet(out IpEndpoint parsed, out errno))
            {
                return errno;
            }

            destination = parsed;
        }

        if (control.Source is { } from && (destination ?? Udp.Remote) is { } to && from.IsV4 != to.Address.IsV4)
        {
            return Errno.EINVAL; // a source of the other version
        }

        SyscallResult result = (flags & MessageFlags.MSG_MORE) != 0 || Cork.IsSet || Cork.IsPending
            ? SendInParts(ref source, destination, control, (flags & MessageFlags.MSG_MORE) != 0)
            : (control.SegmentSize ?? SegmentSize) is > 0 and int size && source.Length > size ? SendCut(ref source, destination, control, size)
            : SendWhole(ref source, destination, control);
        if (!result.IsError)
        {
            ancillary?.ReleaseFiles(); // they mean nothing here
        }

        return result;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        if ((flags & MessageFlags.MSG_ERRQUEUE) != 0)
        {
            return InetErrorQueue.Receive(this, Udp.Errors, ref destination, ref message, task.Kernel.Clock);
        }

        IoSink room = new(destination);
        NetError error = Udp.Receive(ref room, (flags & MessageFlags.MSG_PEEK) != 0, out ReceivedDatagram received);
        long copied = destination.Length - room.Buffer.Length;
        destination = room.Buffer;
        if (error != NetError.None)
        {
            return error.ToErrno();
        }

        if (received.Source.Port != 0)
        {
            message.Address = InetAddress.Format(received.Source, _family.IsV6);
        }

        InetControl.Add(ref message, received, Udp.Local.Port, Udp.Options, Options.Timestamps, _family.IsV6, task.Kernel.Clock);

        message.Flags |= received.IsTruncated ? MessageFlags.MSG_TRUNC : 0;
        return (flags & MessageFlags.MSG_TRUNC) != 0 ? received.Length : copied;
    }

    /// <inheritdoc/>
    public override Errno TakeError() => Udp.TakeError().ToErrno();

    /// <inheritdoc/>
    public override Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value) => InetDatagramOptions.Set(this, level, option, value);

    /// <inheritdoc/>
    public override Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value) => InetDatagramOptions.Get(this, level, option, value);

    /// <inheritdoc/>
    public override void OnOptionsChanged()
    {
        Udp.ReusesAddress = Options.ReuseAddress;
        Udp.ReusesPort = Options.ReusePort;
        Udp.SendsNoChecksum = Options.NoChecksum;
        InetDatagramOptions.Apply(Options, Udp.Options);
        Udp.Queue.Limit = Options.ReceiveBuffer;
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) => InetIoctl.Handle(task, Network, request, argument, Udp.Queue.NextLength, 0);

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => SocketNotifier.ToPollEvents(Udp.Readiness()) & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);

    /// <inheritdoc/>
    public override SocketDescription Describe() => new()
    {
        Family = Domain,
        Type = Type,
        Protocol = Protocol,
        Inode = Cookie,
        Owner = Owner,
        State = (int)(Udp.Remote is null ? TcpState.Closed : TcpState.Established),
        Local = Udp.Local,
        Remote = Udp.Remote ?? new IpEndpoint(IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4, 0),
        ReceiveQueue = Udp.Queue.HeldBytes,
        InterfaceIndex = Options.BoundInterface,
        Drops = Udp.Queue.Dropped,
        IsV6Only = Udp.IsV6Only,
        TypeOfService = Ip.TypeOfService,
        TrafficClass = Ip.TrafficClass,
        Mark = Options.Mark,
        Buffers = (Options.SendBuffer, Options.ReceiveBuffer),
    };

    /// <inheritdoc/>
    protected override void OnClose() => Udp.Dispose();

    /// <summary>Sets UDP_CORK; what waited goes out when it ends.</summary>
    public Errno SetCork(bool isSet)
    {
        lock (Cork.Lock)
        {
            Cork.IsSet = isSet;
            return isSet || !Cork.IsPending ? Errno.None : SendPending().Errno;
        }
    }

    private SyscallResult SendWhole(ref IoBuffer source, IpEndpoint? destination, in DatagramControl control)
    {
        IoSource bytes = new(source);
        NetError error = Udp.Send(ref bytes, destination, control, out long sent);
        source = bytes.Buffer;
        return error == NetError.None ? sent : error.ToErrno();
    }

    // The bytes are copied before the first datagram goes, so that a fault sends none.
    private SyscallResult SendCut(ref IoBuffer source, IpEndpoint? destination, in DatagramControl control, int size)
    {
        if (source.Length > ushort.MaxValue)
        {
            return Errno.EMSGSIZE;
        }

        int length = (int)source.Length;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        SyscallResult result = !source.CopyTo(bytes.AsSpan(0, length)).TryGet(out int copied, out Errno errno) ? errno
            : copied < length ? Errno.EFAULT
            : InetSegments.Send(Udp, bytes.AsSpan(0, length), destination, control, size);
        ArrayPool<byte>.Shared.Return(bytes);
        return result;
    }

    private SyscallResult SendInParts(ref IoBuffer source, IpEndpoint? destination, in DatagramControl control, bool more)
    {
        lock (Cork.Lock)
        {
            if (!Cork.IsPending)
            {
                NetError error = Udp.CheckSend(destination, control, out _);
                if (error != NetError.None)
                {
                    return error.ToErrno();
                }

                Cork.Begin(destination, control);
            }

            SyscallResult added = Cork.Add(ref source);
            if (added.IsError || more || Cork.IsSet)
            {
                return added;
            }

            SyscallResult sent = SendPending();
            return sent.IsError ? sent : added;
        }
    }

    // Under the cork's lock.
    private SyscallResult SendPending()
    {
        if ((Cork.Control.SegmentSize ?? SegmentSize) is > 0 and int size && Cork.Length > size)
        {
            return InetSegments.Send(Udp, Cork.TakeBytes(), Cork.Destination, Cork.Control, size);
        }

        SpanSource all = new(Cork.TakeBytes());
        NetError error = Udp.Send(ref all, Cork.Destination, Cork.Control, out long sent);
        return error == NetError.None ? sent : error.ToErrno();
    }
}
