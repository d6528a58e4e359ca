using Moat.Netstack.Ip;
using Moat.Netstack.Multicast;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Udp;

/// <summary>A datagram socket. Methods never wait. Any thread.</summary>
public sealed class UdpSocket : IDisposable
{
    private const int MaxPayloadV4 = 65507;
    private const int MaxPayloadV6 = 65527;

    private readonly UdpLayer _layer;
    private readonly ISocketObserver _observer;
    private readonly Lock _lock = new();
    private readonly DatagramQueue _queue;
    private PortBinding? _binding; // guarded by _lock
    private IpEndpoint? _remote; // guarded by _lock
    private IpAddress? _source; // guarded by _lock: chosen by connect(2)
    private RouteDecision _route; // guarded by _lock: of the remote end
    private bool _hasRoute; // guarded by _lock
    private bool _hasShutDownReceive;
    private bool _hasShutDownSend;

    /// <summary>A new socket.</summary>
    /// <param name="layer">The protocol.</param>
    /// <param name="isV6">AF_INET6.</param>
    /// <param name="observer">Who is told of events.</param>
    public UdpSocket(UdpLayer layer, bool isV6, ISocketObserver observer)
    {
        (_layer, _observer, IsV6) = (layer, observer, isV6);
        _queue = new DatagramQueue(observer, layer.Stack.Memory);
        Errors = new SocketErrors(observer, Options, layer.Stack.Memory);
        Groups = new GroupMemberships(layer.Stack, Options);
        Options.Set(IpFlags.MulticastAll, !isV6); // as in Linux: a socket of AF_INET6 starts without
    }

    /// <summary>AF_INET6.</summary>
    public bool IsV6 { get; }

    /// <summary>IPV6_V6ONLY.</summary>
    public bool IsV6Only { get; set; }

    /// <summary>SO_REUSEADDR.</summary>
    public bool ReusesAddress { get; set; }

    /// <summary>SO_REUSEPORT.</summary>
    public bool ReusesPort { get; set; }

    /// <summary>The user that made it.</summary>
    public uint Owner { get; init; }

    /// <summary>Options of IP.</summary>
    public IpSocketOptions Options { get; } = new();

    /// <summary>Errors about what was sent.</summary>
    public SocketErrors Errors { get; }

    /// <summary>The groups it has joined.</summary>
    public GroupMemberships Groups { get; }

    /// <summary>UDPLITE_SEND_CSCOV: how many bytes the checksum covers; 0 for all.</summary>
    public int SendCoverage { get; set; }

    /// <summary>UDPLITE_RECV_CSCOV: a datagram whose checksum covers a part must cover at least so much.</summary>
    public int ReceiveCoverage { get; set; }

    /// <summary>SO_NO_CHECK: datagrams over IPv4 are sent without a checksum.</summary>
    public bool SendsNoChecksum { get; set; }

    /// <summary>UDP_NO_CHECK6_TX: datagrams over IPv6 are.</summary>
    public bool SendsNoChecksumV6 { get; set; }

    /// <summary>UDP_NO_CHECK6_RX: datagrams over IPv6 may come without one.</summary>
    public bool TakesNoChecksum { get; set; }

    /// <summary>Whether it is of UDP-Lite.</summary>
    public bool IsLite => _layer.IsLite;

    /// <summary>What has been received.</summary>
    public DatagramQueue Queue => _queue;

    /// <summary>Its own end.</summary>
    public IpEndpoint Local
    {
        get
        {
            lock (_lock)
            {
                IpEndpoint bound = _binding?.Local ?? new IpEndpoint(IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4, 0);
                return bound.Address.IsAny && _source is { } source ? bound with { Address = source } : bound;
            }
        }
    }

    /// <summary>The end it is connected to.</summary>
    public IpEndpoint? Remote
    {
        get
        {
            lock (_lock)
            {
                return _remote;
            }
        }
    }

    /// <summary>bind(2).</summary>
    /// <returns>Invalid if bound already, WrongFamily, AddressNotAvailable, AddressInUse.</returns>
    public NetError Bind(IpEndpoint local)
    {
        lock (_lock)
        {
            if (_binding is not null)
            {
                return NetError.Invalid;
            }

            if (!IsV6 && !local.Address.IsV4)
            {
                return NetError.WrongFamily;
            }

            bool isOwn = local.Address.IsAny || local.Address.IsMulticast || _layer.Stack.Routes.Find(local.Address, 0) is { Kind: RouteKind.Local or RouteKind.Broadcast };
            return isOwn || Options.Has(IpFlags.FreeBind) ? BindLocked(local) : NetError.AddressNotAvailable;
        }
    }

    /// <summary>connect(2); null dissolves the connection.</summary>
    /// <returns>Why no route leads there; WrongFamily.</returns>
    public NetError Connect(IpEndpoint? remote)
    {
        lock (_lock)
        {
            if (remote is not { } target)
            {
                (_remote, _source, _hasRoute) = (null, null, false);
                return NetError.None;
            }

            if (!IsV6 && !target.Address.IsV4)
            {
                return NetError.WrongFamily;
            }

            if (target.Address.IsAny)
            {
                target = target with { Address = target.Address.IsV4 ? IpAddress.LoopbackV4 : IpAddress.LoopbackV6 };
            }

            NetError error = IsV6Only && target.Address.IsV4 ? NetError.NetworkUnreachable : NetError.None;
            RouteDecision route = default;
            error = error == NetError.None ? DecideLocked(target.Address, default, out route) : error;
            if (error == NetError.None && route.Kind == RouteKind.Broadcast && !Options.Broadcast)
            {
                error = NetError.PermissionDenied;
            }

            if (error != NetError.None)
            {
                return error;
            }

            if (_binding is null)
            {
                error = BindLocked(new IpEndpoint(IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4, 0));
                if (error != NetError.None)
                {
                    return NetError.WouldBlock; // EAGAIN: no port is left
                }
            }

            (_remote, _route, _hasRoute) = (target, route, true);
            _source = route.Source;
            return NetError.None;
        }
    }

    /// <summary>The MTU of the way to the connected end; 0 without one.</summary>
    public int PathMtu
    {
        get
        {
            lock (_lock)
            {
                if (_hasRoute && _route.Generation != _layer.Stack.Routes.Generation && DecideLocked(_remote!.Value.Address, default, out RouteDecision route) == NetError.None)
                {
                    _route = route;
                }

                return _hasRoute ? _route.Mtu : 0;
            }
        }
    }

    /// <summary>Whether a datagram could be sent, without sending any: what <see cref="Send"/> would answer before it looks at the bytes.</summary>
    /// <param name="destination">Where to, or null for the connected end.</param>
    /// <param name="control">What its control messages want.</param>
    /// <param name="room">The payload that one packet carries.</param>
    public NetError CheckSend(IpEndpoint? destination, in DatagramControl control, out int room)
    {
        NetError error = Prepare(destination, control, out IpEndpoint remote, out _, out RouteDecision route);
        room = route.Mtu - UdpHeader.Length - (remote.Address.IsV4 ? Ipv4Header.MinLength : Ipv6Header.Length);
        return error;
    }

    /// <summary>Sends one datagram.</summary>
    /// <param name="source">Its bytes, all of them.</param>
    /// <param name="destination">Where to, or null for the connected end.</param>
    /// <param name="control">What its control messages want.</param>
    /// <param name="sent">Its length.</param>
    public NetError Send<TSource>(ref TSource source, IpEndpoint? destination, in DatagramControl control, out long sent)
        where TSource : struct, IByteSource, allows ref struct
    {
        sent = 0;
        long length = source.Length;
        if (length > ushort.MaxValue)
        {
            return NetError.MessageTooLong;
        }

        NetError error = Prepare(destination, control, out IpEndpoint remote, out ushort port, out RouteDecision route);
        if (error == NetError.None && length > (remote.Address.IsV4 ? MaxPayloadV4 : MaxPayloadV6))
        {
            error = NetError.MessageTooLong;
        }

        if (error != NetError.None)
        {
            return error;
        }

        Packet packet = _layer.Stack.Pool.Rent((int)length);
        if (source.CopyTo(packet.Append((int)length)) < length)
        {
            packet.Release();
            return NetError.Fault;
        }

        int total = UdpHeader.Length + (int)length;
        int coverage = SendCoverage > 0 && SendCoverage < total ? SendCoverage : total;
        UdpHeader header = new(port, remote.Port, (ushort)(!IsLite ? total : coverage == total ? 0 : coverage), 0);
        header.Write(packet.Push(UdpHeader.Length));
        IpParameters parameters = new()
        {
            Source = route.Source,
            Destination = remote.Address,
            Protocol = _layer.Protocol,
            TimeToLive = control.Hops ?? Options.HopsTo(remote.Address, route.Interface.HopLimit),
            TypeOfService = control.Class ?? Options.ClassTo(remote.Address),
            DontFragment = Options.DontFragmentTo(remote.Address),
        };
        if (IsLite || !(remote.Address.IsV4 ? SendsNoChecksum : SendsNoChecksumV6))
        {
            UdpChecksum.Seal(packet, parameters, route, coverage);
        }

        packet.Mark = Options.Mark;
        packet.Owner = Options.Owner;
        if (route.Kind == RouteKind.Multicast && Options.Has(remote.Address.IsV4 ? IpFlags.MulticastLoop : IpFlags.MulticastLoopV6) && !route.Interface.IsLoopback)
        {
            _layer.Stack.LoopBack(packet.Share(), parameters, route);
        }

        error = _layer.Stack.Output.Send(packet, parameters, route);
        _layer.Stack.Flush();
        if (error == NetError.None)
        {
            _layer.CountSent();
            sent = length;
        }
        else if (error == NetError.MessageTooLong)
        {
            Errors.ReportTooLong(remote, route.Mtu);
        }

        return error;
    }

    /// <summary>Receives one datagram.</summary>
    /// <returns>WouldBlock, Fault, or an error that was reported about what was sent. Nothing, with a length of 0, after a shutdown.</returns>
    public NetError Receive<TSink>(ref TSink sink, bool peek, out ReceivedDatagram received)
        where TSink : struct, IByteSink, allows ref struct
    {
        received = default;
        NetError error = TakeError();
        if (error != NetError.None)
        {
            return error;
        }

        error = _queue.Receive(ref sink, peek, out received);
        return error == NetError.WouldBlock && _hasShutDownReceive ? NetError.None : error;
    }

    /// <summary>shutdown(2).</summary>
    /// <returns>NotConnected.</returns>
    public NetError Shutdown(bool receive, bool send)
    {
        lock (_lock)
        {
            if (_remote is null)
            {
                return NetError.NotConnected;
            }
        }

        _hasShutDownReceive |= receive;
        _hasShutDownSend |= send;
        _observer.OnEvents(NetEvents.Readable | NetEvents.Writable | NetEvents.HangUp | NetEvents.ReadHangUp);
        return NetError.None;
    }

    /// <summary>What it is ready for.</summary>
    public NetEvents Readiness()
    {
        NetEvents events = _queue.HasData || _hasShutDownReceive ? NetEvents.Readable : NetEvents.None;
        events |= NetEvents.Writable | (_hasShutDownReceive ? NetEvents.ReadHangUp : 0) | (_hasShutDownReceive && _hasShutDownSend ? NetEvents.HangUp : 0);
        return Errors.IsSet ? events | NetEvents.Error : events;
    }

    /// <summary>SO_ERROR: the error, which is cleared.</summary>
    public NetError TakeError() => Errors.Take();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_binding is { } binding)
            {
                _binding = null;
                _layer.Remove(this, binding.Local.Port);
                _layer.Ports.Release(binding);
            }
        }

        Groups.Clear();
        Errors.Clear();
        _queue.Clear();
    }

    /// <summary>How well a datagram fits: -1 not at all; the more is fixed, the better.</summary>
    internal int Score(IpEndpoint source, IpEndpoint destination, int interfaceIndex)
    {
        lock (_lock)
        {
            if (_binding is not { } binding || (Options.BoundInterface != 0 && interfaceIndex != 0 && Options.BoundInterface != interfaceIndex))
            {
                return -1;
            }

            IpAddress bound = binding.Local.Address;
            if (bound.IsAny ? !bound.IsV4 && destination.Address.IsV4 && IsV6Only || (bound.IsV4 && !destination.Address.IsV4) : bound != destination.Address)
            {
                return -1;
            }

            if (_remote is { } remote && (remote != source || (_source != destination.Address && !destination.Address.IsMulticast)))
            {
                return -1;
            }

            return (bound.IsAny ? 0 : 2) + (_remote is not null ? 4 : 0) + (Options.BoundInterface != 0 ? 4 : 0) + (bound.IsV4 == destination.Address.IsV4 ? 1 : 0);
        }
    }

    /// <summary>Whether a datagram to a group or a broadcast address is for it.</summary>
    internal bool Wants(in IpInfo info)
    {
        if (info.Kind == RouteKind.Broadcast)
        {
            return true;
        }

        return Groups.Wants(info);
    }

    internal void Deliver(Packet packet, in IpInfo info, ushort sourcePort)
    {
        if (_hasShutDownReceive || !SocketFiltering.Passes(Options, packet, packet.Start - UdpHeader.Length, UdpHeader.Length, info))
        {
            packet.Release();
            return;
        }

        packet.ArrivedNs = Options.StampsArrival ? _layer.Stack.Host.NowNs : 0;
        _queue.Add(packet, info, sourcePort);
    }

    internal void OnError(in IpError error, IpEndpoint remote, ReadOnlySpan<byte> payload) => Errors.Report(error, remote, payload, isConnected: Remote == remote);

    private NetError Prepare(IpEndpoint? destination, in DatagramControl control, out IpEndpoint remote, out ushort port, out RouteDecision route)
    {
        remote = default;
        port = 0;
        route = default;
        if (_hasShutDownSend)
        {
            return NetError.BrokenPipe;
        }

        lock (_lock)
        {
            NetError error = Errors.Take();
            if (error != NetError.None)
            {
                return error;
            }

            if ((destination ?? _remote) is not { } target)
            {
                return NetError.DestinationRequired;
            }

            if (target.Port == 0)
            {
                return NetError.Invalid;
            }

            if (!IsV6 && !target.Address.IsV4)
            {
                return NetError.WrongFamily;
            }

            if (target.Address.IsAny)
            {
                target = target with { Address = target.Address.IsV4 ? IpAddress.LoopbackV4 : IpAddress.LoopbackV6 };
            }

            if (_binding is null)
            {
                error = BindLocked(new IpEndpoint(IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4, 0));
                if (error != NetError.None)
                {
                    return NetError.WouldBlock;
                }
            }

            bool isConnectedEnd = destination is null && !control.ChangesRoute && _hasRoute && _route.Generation == _layer.Stack.Routes.Generation;
            error = isConnectedEnd ? NetError.None : DecideLocked(target.Address, control, out route);
            route = isConnectedEnd ? _route : route;
            if (error == NetError.None && route.Kind == RouteKind.Broadcast && !Options.Broadcast)
            {
                error = NetError.PermissionDenied;
            }

            remote = target;
            port = _binding!.Local.Port;
            return error;
        }
    }

    private NetError DecideLocked(IpAddress destination, in DatagramControl control, out RouteDecision route)
    {
        route = default;
        IpAddress? source = _binding is { Local.Address: { IsAny: false, IsMulticast: false } address } ? address : null;
        if (source is null && destination.IsV4 && destination.IsMulticast && !Options.MulticastSource.IsAny)
        {
            source = Options.MulticastSource;
        }

        if (control.Source is { IsAny: false } wanted)
        {
            if (!Options.Has(IpFlags.FreeBind) && _layer.Stack.Routes.Find(wanted, 0) is not { Kind: RouteKind.Local })
            {
                return wanted.IsV4 ? NetError.NetworkUnreachable : NetError.Invalid;
            }

            source = wanted;
        }

        if (control.InterfaceIndex != 0 && _layer.Stack.FindInterface(control.InterfaceIndex) is null)
        {
            return NetError.NotFound;
        }

        return _layer.Stack.Decide(destination, source, control.InterfaceIndex != 0 ? control.InterfaceIndex : Options.InterfaceTo(destination), out route);
    }

    private NetError BindLocked(IpEndpoint local)
    {
        PortBinding wanted = new(local, Options.BoundInterface, IsV6Only) { ReusesAddress = ReusesAddress, ReusesPort = ReusesPort, Owner = Owner };
        NetError error = _layer.Ports.Bind(wanted, mayUse: null, out _binding);
        if (error == NetError.None)
        {
            _layer.Add(this, _binding!.Local.Port);
        }

        return error;
    }
}
