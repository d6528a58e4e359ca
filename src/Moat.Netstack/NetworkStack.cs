using Moat.Netstack.Filter;
using Moat.Netstack.Icmp;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Ip;
using Moat.Netstack.Link;
using Moat.Netstack.Neighbors;
using Moat.Netstack.Packets;
using Moat.Netstack.PacketSockets;
using Moat.Netstack.Raw;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Timers;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Netstack;

/// <summary>A TCP/IP stack: interfaces, routes and protocols, put together. One for each network namespace. Any thread.</summary>
/// <remarks>Locks, from the outside in: a socket's or connection's, a demultiplexer's, a neighbour table's, a link's queue, timers and pools. No packet is delivered upwards under any of them:
/// what a lower layer sends while a connection is locked waits in the link until <see cref="Flush"/>.</remarks>
public sealed class NetworkStack
{
    private readonly Lock _lock = new();
    private readonly ITransport?[] _transports = new ITransport?[256];
    private readonly IpInput _input;
    private NetworkInterface[] _interfaces = []; // replaced under _lock
    private int _lastIndex; // guarded by _lock

    /// <summary>A stack without interfaces.</summary>
    /// <param name="host">Time and randomness.</param>
    /// <param name="memory">What its sockets share with those of other stacks and families; null for an account of its own.</param>
    /// <param name="pool">Packets, which it shares with the stacks that its links lead to; null for a pool of its own.</param>
    public NetworkStack(INetHost host, SocketMemory? memory = null, PacketPool? pool = null)
    {
        Host = host;
        Pool = pool ?? new PacketPool();
        Memory = memory ?? new SocketMemory();
        Memory.Add(Pool);
        Timers = new TimerQueue(host);
        Paths = new PathMtuTable(host, Routes);
        Filter = new PacketFilter(this);
        Output = new IpOutput(this);
        Errors = new IcmpErrors(this);
        NeighborDiscovery = new NeighborDiscovery(this);
        _input = new IpInput(this);
        Icmp = new IcmpLayer(this, isV6: false);
        IcmpV6 = new IcmpLayer(this, isV6: true);
        _ = new Multicast.IgmpLayer(this);
        Udp = new UdpLayer(this, IpProtocol.Udp);
        UdpLite = new UdpLayer(this, IpProtocol.UdpLite);
        Tcp = new TcpLayer(this);
    }

    /// <summary>Time and randomness.</summary>
    public INetHost Host { get; }

    /// <summary>What sockets hold.</summary>
    public SocketMemory Memory { get; }

    /// <summary>Packets.</summary>
    public PacketPool Pool { get; }

    /// <summary>Timers.</summary>
    public TimerQueue Timers { get; }

    /// <summary>Routes.</summary>
    public RoutingTable Routes { get; } = new();

    /// <summary>What the ways to destinations carry.</summary>
    public PathMtuTable Paths { get; }

    /// <summary>Rules for packets.</summary>
    public PacketFilter Filter { get; }

    /// <summary>Whether IPv4 packets for others are passed on (ip_forward).</summary>
    public bool ForwardsV4 { get; set; }

    /// <summary>Whether IPv6 packets are.</summary>
    public bool ForwardsV6 { get; set; }

    /// <summary>Sends packets.</summary>
    public IpOutput Output { get; }

    /// <summary>ICMP for IPv4.</summary>
    public IcmpLayer Icmp { get; }

    /// <summary>ICMP for IPv6.</summary>
    public IcmpLayer IcmpV6 { get; }

    /// <summary>UDP.</summary>
    public UdpLayer Udp { get; }

    /// <summary>UDP-Lite.</summary>
    public UdpLayer UdpLite { get; }

    /// <summary>TCP.</summary>
    public TcpLayer Tcp { get; }

    /// <summary>Sockets that ask for echoes.</summary>
    public PingSockets PingSockets { get; } = new();

    /// <summary>Raw sockets.</summary>
    public RawSocketTable RawSockets { get; } = new();

    /// <summary>Packet sockets.</summary>
    public PacketSocketTable PacketSockets { get; } = new();

    /// <summary>Sends ICMP errors.</summary>
    internal IcmpErrors Errors { get; }

    /// <summary>Finds neighbours for IPv6.</summary>
    internal NeighborDiscovery NeighborDiscovery { get; }

    /// <summary>The interfaces. A snapshot.</summary>
    public IReadOnlyList<NetworkInterface> Interfaces => Volatile.Read(ref _interfaces);

    /// <summary>Whether an interface other than loopback has an address.</summary>
    internal bool HasAddress(IpAddress address)
    {
        foreach (NetworkInterface candidate in Volatile.Read(ref _interfaces))
        {
            foreach (InterfaceAddress own in candidate.Addresses)
            {
                if (own.Address == address && !candidate.IsLoopback)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Adds an interface, down and without addresses.</summary>
    /// <returns>Exists if the name is taken.</returns>
    public NetError AddInterface(string name, ILink link, out NetworkInterface? added)
    {
        added = null;
        lock (_lock)
        {
            if (Array.Exists(_interfaces, other => other.Name == name))
            {
                return NetError.Exists;
            }

            added = new NetworkInterface(this, ++_lastIndex, name, link);
            Volatile.Write(ref _interfaces, [.. _interfaces, added]);
            return NetError.None;
        }
    }

    /// <summary>The interface with a number, or null.</summary>
    public NetworkInterface? FindInterface(int index)
    {
        foreach (NetworkInterface candidate in Volatile.Read(ref _interfaces))
        {
            if (candidate.Index == index)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>The interface with a name, or null.</summary>
    public NetworkInterface? FindInterface(string name)
    {
        foreach (NetworkInterface candidate in Volatile.Read(ref _interfaces))
        {
            if (candidate.Name == name)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>Takes an interface away, with its addresses, routes and neighbours. Sockets that are bound to it stay, and reach nothing through it.</summary>
    public void RemoveInterface(NetworkInterface removed)
    {
        lock (_lock)
        {
            removed.IsUp = false;
            Volatile.Write(ref _interfaces, Array.FindAll(_interfaces, other => other != removed));
            Routes.RemoveInterface(removed.Index);
        }

        removed.Neighbors?.Clear();
    }

    /// <summary>Gives an interface an address and makes its routes, as Linux does: local, broadcast, and the network's.</summary>
    /// <returns>Exists.</returns>
    public NetError AddAddress(NetworkInterface owner, InterfaceAddress address)
    {
        NetError error = owner.AddAddress(address);
        if (error != NetError.None)
        {
            return error;
        }

        if (SolicitedGroup(owner, address.Address) is { } group)
        {
            _ = owner.Groups.Join(group); // without it only the address cannot be asked for
        }

        AddRoutes(owner, address);
        return NetError.None;
    }

    /// <summary>Takes an address and its routes away; the network's route stays while another address needs it.</summary>
    /// <returns>NotFound.</returns>
    public NetError RemoveAddress(NetworkInterface owner, IpAddress address, int prefixLength)
    {
        if (owner.RemoveAddress(address, prefixLength) is not { } removed)
        {
            return NetError.NotFound;
        }

        if (SolicitedGroup(owner, address) is { } group)
        {
            _ = owner.Groups.Leave(group);
        }

        HashSet<Route> needed = [];
        foreach (InterfaceAddress other in owner.Addresses)
        {
            needed.UnionWith(RoutesOf(owner, other));
        }

        foreach (Route route in RoutesOf(owner, removed))
        {
            if (!needed.Contains(route))
            {
                _ = Routes.Remove(route);
            }
        }

        return NetError.None;
    }

    /// <summary>Nobody uses the stack any more: its interfaces go, and connections that no socket has are broken off. What waits for a timer is given back when that expires.</summary>
    public void End()
    {
        foreach (NetworkInterface owner in Interfaces)
        {
            RemoveInterface(owner);
        }

        Tcp.AbortAll();
    }

    /// <summary>Brings an interface up, with the routes of its addresses, or down: then all its routes go but the local ones, as in Linux. Loopback without addresses gets its own.</summary>
    public void SetUp(NetworkInterface owner, bool isUp)
    {
        lock (_lock)
        {
            if (owner.IsUp == isUp)
            {
                return;
            }

            owner.IsUp = isUp;
            if (!isUp)
            {
                Routes.RemoveInterface(owner.Index, keepsLocal: true);
                return;
            }

            if (owner.IsLoopback && owner.Addresses.Count == 0)
            {
                _ = owner.AddAddress(new InterfaceAddress(IpAddress.LoopbackV4, 8, null));
                _ = owner.AddAddress(new InterfaceAddress(IpAddress.LoopbackV6, 128, null));
            }

            foreach (InterfaceAddress address in owner.Addresses)
            {
                AddRoutes(owner, address);
            }

            owner.Groups.Reports?.OnUp();
        }
    }

    /// <summary>Registers the protocol for a number; at construction only.</summary>
    internal void Register(IpProtocol protocol, ITransport transport) => _transports[(int)protocol] = transport;

    /// <summary>The protocol with a number, or null.</summary>
    internal ITransport? TransportOf(IpProtocol protocol) => _transports[(int)protocol];

    /// <summary>Decides how to reach a destination.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="boundSource">The address the socket is bound to, or null.</param>
    /// <param name="boundInterface">The interface it is bound to, or 0.</param>
    /// <param name="decision">How.</param>
    /// <returns>NetworkUnreachable, HostUnreachable, PermissionDenied, Invalid for a blackhole, AddressNotAvailable if no source address fits.</returns>
    public NetError Decide(IpAddress destination, IpAddress? boundSource, int boundInterface, out RouteDecision decision)
    {
        decision = default;
        int generation = Routes.Generation;
        if (Routes.Find(destination, boundInterface) is not { } route)
        {
            return boundInterface == 0 ? NetError.NetworkUnreachable : DecideOnLink(destination, boundSource, boundInterface, generation, out decision);
        }

        NetError error = route.Kind switch
        {
            RouteKind.Unreachable => NetError.HostUnreachable,
            RouteKind.Prohibit => NetError.PermissionDenied,
            RouteKind.Blackhole => NetError.Invalid,
            _ => NetError.None,
        };
        if (error != NetError.None)
        {
            return error;
        }

        if (FindInterface(route.InterfaceIndex) is not { } owner || (!owner.IsUp && route.Kind != RouteKind.Local))
        {
            return NetError.NetworkUnreachable;
        }

        IpAddress? source = boundSource ?? route.PreferredSource ?? (route.Kind == RouteKind.Local ? destination : owner.SelectSource(route.Gateway ?? destination));
        if (source is not { } chosen)
        {
            return NetError.AddressNotAvailable;
        }

        NetworkInterface exit = route.Kind == RouteKind.Local ? Loopback ?? owner : owner;
        decision = new RouteDecision
        {
            Interface = exit,
            Source = chosen,
            NextHop = route.Gateway ?? destination,
            Kind = destination.IsMulticast ? RouteKind.Multicast : route.Kind,
            Mtu = Paths.Limit(destination, route.Mtu != 0 ? Math.Min(route.Mtu, exit.Mtu) : exit.Mtu),
            Generation = generation,
        };
        return NetError.None;
    }

    // Who names the interface is believed that the destination is on it, as in Linux.
    private NetError DecideOnLink(IpAddress destination, IpAddress? boundSource, int interfaceIndex, int generation, out RouteDecision decision)
    {
        decision = default;
        if (FindInterface(interfaceIndex) is not { IsUp: true } owner)
        {
            return NetError.NotFound;
        }

        if ((boundSource ?? owner.SelectSource(destination)) is not { } source)
        {
            return destination.IsV4 ? NetError.NetworkUnreachable : NetError.AddressNotAvailable;
        }

        decision = new RouteDecision
        {
            Interface = owner,
            Source = source,
            NextHop = destination,
            Kind = destination.IsMulticast ? RouteKind.Multicast : RouteKind.Unicast,
            Mtu = Paths.Limit(destination, owner.Mtu),
            Generation = generation,
        };
        return NetError.None;
    }

    /// <summary>Runs the timers that are due and sends what they caused.</summary>
    /// <returns>When to call again: monotonic nanoseconds, or <see cref="long.MaxValue"/>.</returns>
    public long RunTimers()
    {
        long next = Timers.Run(Host.NowNs);
        Flush();
        return next;
    }

    /// <summary>Sends what waits in the links. Whoever has called into the stack calls this when it holds no lock.</summary>
    public void Flush()
    {
        foreach (NetworkInterface owner in Volatile.Read(ref _interfaces))
        {
            owner.Link.Flush();
        }
    }

    /// <summary>Takes an IP packet that an interface received.</summary>
    internal void ReceiveIp(Packet packet, NetworkInterface from) => _input.Receive(packet, from);

    /// <summary>Gives a copy of a packet to a group, which begins with the transport header, to this machine's own members (IP_MULTICAST_LOOP).</summary>
    internal void LoopBack(Packet packet, in IpParameters parameters, in RouteDecision route)
    {
        if (Loopback is { } loopback)
        {
            RouteDecision here = new() { Interface = loopback, Source = route.Source, NextHop = parameters.Destination, Kind = route.Kind, Mtu = loopback.Mtu, Generation = route.Generation };
            packet.Checksum = ChecksumState.Verified;
            _ = Output.Send(packet, parameters, here);
        }
    }

    // Where questions about an address arrive (RFC 4862 section 5.4.2).
    private static IpAddress? SolicitedGroup(NetworkInterface owner, IpAddress address) => owner.HasEthernet && !address.IsV4 ? NeighborDiscovery.SolicitedNodeGroup(address) : null;

    private void AddRoutes(NetworkInterface owner, InterfaceAddress address)
    {
        foreach (Route route in RoutesOf(owner, address))
        {
            if (owner.IsUp || route.Kind == RouteKind.Local)
            {
                _ = Routes.Add(route); // another address of the same network has made it
            }
        }
    }

    private NetworkInterface? Loopback
    {
        get
        {
            foreach (NetworkInterface candidate in Volatile.Read(ref _interfaces))
            {
                if (candidate.IsLoopback)
                {
                    return candidate;
                }
            }

            return null;
        }
    }

    private static IEnumerable<Route> RoutesOf(NetworkInterface owner, InterfaceAddress address)
    {
        const byte Kernel = 2;
        const byte HostScope = 254;
        const byte LinkScope = 253;
        IpAddress own = address.Address;
        yield return new Route(own, own.Bits, owner.Index) { Kind = RouteKind.Local, Table = RoutingTable.Local, PreferredSource = own.IsV4 ? own : null, Protocol = Kernel, Scope = HostScope };
        if (address.PrefixLength == own.Bits)
        {
            yield break;
        }

        IpAddress network = own.Mask(address.PrefixLength);
        if (owner.IsLoopback && own.IsV4)
        {
            yield return new Route(network, address.PrefixLength, owner.Index) { Kind = RouteKind.Local, Table = RoutingTable.Local, PreferredSource = own, Protocol = Kernel, Scope = HostScope };
        }
        else
        {
            yield return new Route(network, address.PrefixLength, owner.Index) { PreferredSource = own.IsV4 ? own : null, Protocol = Kernel, Scope = own.IsV4 ? LinkScope : (byte)0, Metric = own.IsV4 ? 0u : 256 };
        }

        if (own.IsV4 && address.PrefixLength < 31)
        {
            IpAddress broadcast = IpAddress.FromV4(network.V4 | uint.MaxValue >> address.PrefixLength);
            yield return new Route(broadcast, 32, owner.Index) { Kind = RouteKind.Broadcast, Table = RoutingTable.Local, PreferredSource = own, Protocol = Kernel, Scope = LinkScope };
        }
    }
}
