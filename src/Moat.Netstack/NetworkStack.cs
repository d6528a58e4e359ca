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
    /// <summary>How many interfaces there may be.</summary>
    public const int MaxInterfaces = 2048;

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
        Configuration = new InterfaceConfiguration(this);
        Icmp = new IcmpLayer(this, isV6: false);
        IcmpV6 = new IcmpLayer(this, isV6: true);
        _ = new Multicast.IgmpLayer(this);
        Udp = new UdpLayer(this, IpProtocol.Udp);
        UdpLite = new UdpLayer(this, IpProtocol.UdpLite);
        Tcp = new TcpLayer(this);
    }

    /// <summary>Time and randomness.</summary>
    public INetHost Host { get; }

    /// <summary>What goes over virtual links; null if there are none. Set once, at the start.</summary>
    public LinkBacklog? Backlog { get; init; }

    /// <summary>Who is told of changes; null for nobody. Set once, at the start.</summary>
    public IStackObserver? Observer { get; set; }

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

    /// <summary>Whether new interfaces have no addresses of IPv6 (net.ipv6.conf.default.disable_ipv6).</summary>
    public bool DisablesV6ByDefault { get; set; }

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

    /// <summary>What new interfaces take from their link by themselves (net.ipv6.conf.default).</summary>
    public Autoconfiguration.AutoconfigurationOptions Autoconfiguration { get; } = new();

    /// <summary>Sends ICMP errors.</summary>
    internal IcmpErrors Errors { get; }

    /// <summary>What follows from addresses.</summary>
    internal InterfaceConfiguration Configuration { get; }

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
    /// <param name="name">Its name.</param>
    /// <param name="link">What carries its frames.</param>
    /// <param name="added">The interface.</param>
    /// <param name="index">The number that it should have if it is free; 0 for any.</param>
    /// <returns>Exists if the name is taken; NoBufferSpace if there are too many.</returns>
    public NetError AddInterface(string name, ILink link, out NetworkInterface? added, int index = 0)
    {
        added = null;
        lock (_lock)
        {
            if (Array.Exists(_interfaces, other => other.Name == name))
            {
                return NetError.Exists;
            }

            if (_interfaces.Length >= MaxInterfaces)
            {
                return NetError.NoBufferSpace;
            }

            if (index <= 0 || FindInterface(index) is not null)
            {
                do
                {
                    _lastIndex = _lastIndex == int.MaxValue ? 1 : _lastIndex + 1;
                }
                while (FindInterface(_lastIndex) is not null);
                index = _lastIndex;
            }

            added = new NetworkInterface(this, index, name, link);
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

    /// <summary>Gives an interface another name.</summary>
    /// <returns>Exists if it is taken.</returns>
    public NetError Rename(NetworkInterface renamed, string name)
    {
        lock (_lock)
        {
            if (Array.Exists(_interfaces, other => other.Name == name && other != renamed))
            {
                return NetError.Exists;
            }

            renamed.Name = name;
            return NetError.None;
        }
    }

    /// <summary>Takes an interface away for good, with its link.</summary>
    public void Delete(NetworkInterface deleted)
    {
        if (RemoveInterface(deleted))
        {
            deleted.Link.Close();
        }
    }

    /// <summary>Takes an interface to another stack: it is down there and without addresses, and keeps its number if that is free.</summary>
    /// <param name="moved">The interface.</param>
    /// <param name="to">The other stack.</param>
    /// <param name="name">What it is called there.</param>
    /// <param name="arrived">What it is there.</param>
    /// <returns>Exists if the name is taken there; NoBufferSpace if there are too many.</returns>
    public NetError MoveInterface(NetworkInterface moved, NetworkStack to, string name, out NetworkInterface? arrived)
    {
        arrived = null;
        if (to.FindInterface(name) is not null)
        {
            return NetError.Exists;
        }

        if (to.Interfaces.Count >= MaxInterfaces)
        {
            return NetError.NoBufferSpace;
        }

        if (!RemoveInterface(moved))
        {
            return NetError.NotFound;
        }

        NetError error = to.AddInterface(name, moved.Link, out arrived, moved.Index);
        if (error != NetError.None)
        {
            moved.Link.Close(); // somebody else was faster to take the name: Linux would keep it from happening
            return error;
        }

        (arrived!.Mtu, arrived.Alias, arrived.QueueLength, arrived.Group) = (moved.Mtu, moved.Alias, moved.QueueLength, moved.Group);
        return NetError.None;
    }

    /// <summary>Takes an interface away, with its addresses, routes and neighbours. Sockets that are bound to it stay, and reach nothing through it.</summary>
    /// <returns>False if somebody else has done so.</returns>
    public bool RemoveInterface(NetworkInterface removed)
    {
        if (removed.Port is { } port)
        {
            port.Bridge.Remove(port);
        }

        lock (_lock)
        {
            if (Array.IndexOf(_interfaces, removed) < 0)
            {
                return false;
            }

            removed.IsUp = false;
            Volatile.Write(ref _interfaces, Array.FindAll(_interfaces, other => other != removed));
            Routes.RemoveInterface(removed.Index);
        }

        removed.Neighbors?.Clear();
        foreach (InterfaceAddress address in removed.Addresses)
        {
            Observer?.OnAddress(removed, address, isGone: true);
        }

        Observer?.OnLinkGone(removed);
        return true;
    }

    /// <summary>Gives an interface an address and makes its routes, as Linux does: local, broadcast, and the network's.</summary>
    /// <returns>Exists.</returns>
    public NetError AddAddress(NetworkInterface owner, InterfaceAddress address) => Configuration.AddAddress(owner, address);

    /// <summary>Takes an address and its routes away; the network's route stays while another address needs it.</summary>
    /// <returns>NotFound.</returns>
    public NetError RemoveAddress(NetworkInterface owner, IpAddress address, int prefixLength) => Configuration.RemoveAddress(owner, address, prefixLength);

    /// <summary>Brings an interface up, with the routes of its addresses, or down: then all its routes go but the local ones, as in Linux. Loopback without addresses gets its own,
    /// a virtual link one for itself (RFC 4291 section 2.5.6).</summary>
    public void SetUp(NetworkInterface owner, bool isUp)
    {
        lock (_lock)
        {
            if (owner.IsUp == isUp)
            {
                return;
            }

            Configuration.SetUp(owner, isUp);
        }

        Configuration.OnUpOrDown(owner);

        if (owner.Link is VethLink { Peer.Interface: { } other })
        {
            other.Stack.Observer?.OnLink(other); // it has a carrier now, or has none any more
        }
    }

    /// <summary>Says whether an interface has addresses of IPv6; it loses those that it has.</summary>
    public void DisableV6(NetworkInterface owner, bool isDisabled)
    {
        owner.DisablesV6 = isDisabled;
        Configuration.AdaptV6(owner);
    }

    /// <summary>Nobody uses the stack any more: its interfaces go, and connections that no socket has are broken off. What waits for a timer is given back when that expires.</summary>
    public void End()
    {
        foreach (NetworkInterface owner in Interfaces)
        {
            Delete(owner);
        }

        Tcp.AbortAll();
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
        if (boundSource is { } bound && bound.IsV4 != destination.IsV4)
        {
            return NetError.NetworkUnreachable;
        }

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

        IpAddress? source = boundSource ?? route.PreferredSource ?? (route.Kind == RouteKind.Local ? destination : owner.SelectSource(destination.IsV4 ? route.Gateway ?? destination : destination));
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

    /// <summary>How many packets of a version lack fragments, and the memory of those that are here.</summary>
    public (int Count, long Bytes) CountUnfinished(bool isV6) => _input.CountUnfinished(isV6);

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

        Backlog?.Run();
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
}
