using Moat.Netstack.Autoconfiguration;
using Moat.Netstack.Ip;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Interfaces;

/// <summary>A network interface: a link, its addresses, and what it has counted.</summary>
public sealed class NetworkInterface : ILinkSink
{
    /// <summary>How many addresses an interface may have.</summary>
    public const int MaxAddresses = 256;

    private readonly NetworkStack _stack;
    private readonly Lock _lock = new();
    private InterfaceAddress[] _addresses = []; // replaced under _lock
    private volatile bool _isUp;
    private int _mtu;
    private Bridging.BridgePort? _port;

    internal NetworkInterface(NetworkStack stack, int index, string name, ILink link)
    {
        _stack = stack;
        Index = index;
        Name = name;
        Link = link;
        _mtu = link.Mtu;
        DisablesV6 = stack.DisablesV6ByDefault;
        Neighbors = HasEthernet ? new Neighbors.NeighborTable(stack, this) : null;
        Groups = new Multicast.GroupSet { Reports = HasEthernet ? new Multicast.GroupReports(stack, this) : null };
        Autoconfiguration.Assign(stack.Autoconfiguration);
        Duplicates = HasEthernet ? new DuplicateDetection(stack, this) : null;
        Routers = HasEthernet ? new RouterDiscovery(stack, this) : null;
        link.Attach(this);
    }

    /// <summary>The stack that it is in.</summary>
    public NetworkStack Stack => _stack;

    /// <summary>Its number, from 1 on.</summary>
    public int Index { get; }

    /// <summary>Its name: at most 15 bytes.</summary>
    public string Name { get; internal set; }

    /// <summary>What carries its frames.</summary>
    public ILink Link { get; }

    /// <summary>Who is on the link; null if it has no link-layer addresses.</summary>
    public Neighbors.NeighborTable? Neighbors { get; }

    /// <summary>The groups it listens to.</summary>
    public Multicast.GroupSet Groups { get; }

    /// <summary>What it counts.</summary>
    public InterfaceStatistics Statistics { get; } = new();

    /// <summary>The clock and the chance of its stack.</summary>
    public INetHost Host => _stack.Host;

    /// <summary>Whether it sends and receives (IFF_UP); <see cref="NetworkStack.SetUp"/> sets it.</summary>
    public bool IsUp
    {
        get => _isUp;
        internal set
        {
            _isUp = value;
            _stack.Routes.Invalidate();
        }
    }

    /// <summary>Whether it is up and there is somebody at the other end (IFF_RUNNING).</summary>
    public bool IsRunning => _isUp && Link.HasCarrier;

    /// <summary>What it is at a bridge; null if it is no port. <see cref="Bridging.BridgeLink"/> sets it.</summary>
    public Bridging.BridgePort? Port
    {
        get => Volatile.Read(ref _port);
        internal set => Volatile.Write(ref _port, value);
    }

    /// <summary>Whether it has no addresses of IPv6 (net.ipv6.conf.NAME.disable_ipv6); <see cref="NetworkStack.DisableV6"/> sets it.</summary>
    public bool DisablesV6 { get; internal set; }

    /// <summary>What it takes from its link by itself.</summary>
    public Autoconfiguration.AutoconfigurationOptions Autoconfiguration { get; } = new();

    /// <summary>The hop limit of packets over IPv6 whose socket does not say: what a router has advertised.</summary>
    public byte HopLimit { get; internal set; } = 64;

    /// <summary>Asks for new addresses; null if there is nobody to ask.</summary>
    internal DuplicateDetection? Duplicates { get; }

    /// <summary>Asks for routers; null if there can be none.</summary>
    internal RouterDiscovery? Routers { get; }

    /// <summary>IFF_PROMISC, IFF_ALLMULTI and other flags that are kept for whoever set them.</summary>
    public int KeptFlags { get; set; }

    /// <summary>Another name for it (IFLA_IFALIAS), or null.</summary>
    public string? Alias { get; set; }

    /// <summary>Packets that may wait in front of it, as programs say (txqueuelen). Links here have queues of their own.</summary>
    public uint QueueLength { get; set; } = 1000;

    /// <summary>Its group (IFLA_GROUP).</summary>
    public uint Group { get; set; }

    /// <summary>The largest IP packet it sends: at most what the link can carry.</summary>
    public int Mtu
    {
        get => Volatile.Read(ref _mtu);
        set
        {
            Volatile.Write(ref _mtu, Math.Min(value, Link.MaxMtu));
            _stack.Routes.Invalidate();
        }
    }

    /// <summary>Whether what it sends comes back.</summary>
    public bool IsLoopback => (Link.Features & LinkFeatures.Loopback) != 0;

    /// <summary>Whether its frames have Ethernet headers.</summary>
    public bool HasEthernet => (Link.Features & LinkFeatures.Ethernet) != 0;

    /// <summary>Its addresses. A snapshot.</summary>
    public IReadOnlyList<InterfaceAddress> Addresses => Volatile.Read(ref _addresses);

    /// <summary>Gives it an address. Routes to it are the <see cref="NetworkStack"/>'s to make.</summary>
    internal NetError AddAddress(InterfaceAddress address)
    {
        lock (_lock)
        {
            if (Array.Exists(_addresses, other => other.Address == address.Address))
            {
                return NetError.Exists;
            }

            if (_addresses.Length >= MaxAddresses)
            {
                return NetError.NoBufferSpace;
            }

            Volatile.Write(ref _addresses, [.. _addresses, address]);
            return NetError.None;
        }
    }

    /// <summary>Takes an address away and returns it, or null.</summary>
    internal InterfaceAddress? RemoveAddress(IpAddress address, int prefixLength)
    {
        lock (_lock)
        {
            int index = Array.FindIndex(_addresses, other => other.Address == address && other.PrefixLength == prefixLength);
            if (index < 0)
            {
                return null;
            }

            InterfaceAddress removed = _addresses[index];
            Volatile.Write(ref _addresses, [.. _addresses[..index], .. _addresses[(index + 1)..]]);
            return removed;
        }
    }

    /// <summary>An address with what is known of it, or null.</summary>
    public InterfaceAddress? FindAddress(IpAddress address) => Array.Find(Volatile.Read(ref _addresses), other => other.Address == address);

    /// <summary>Changes what is known of an address.</summary>
    /// <returns>What is known now; null if the address has gone.</returns>
    internal InterfaceAddress? ChangeAddress(IpAddress address, Func<InterfaceAddress, InterfaceAddress> change)
    {
        lock (_lock)
        {
            int index = Array.FindIndex(_addresses, other => other.Address == address);
            if (index < 0)
            {
                return null;
            }

            InterfaceAddress[] addresses = [.. _addresses];
            addresses[index] = change(addresses[index]);
            Volatile.Write(ref _addresses, addresses);
            return addresses[index];
        }
    }

    /// <summary>The address to send from to <paramref name="destination"/>: one of its own network if there is one, otherwise the first of its family and scope; one that is deprecated only if there is no other.</summary>
    public IpAddress? SelectSource(IpAddress destination)
    {
        IpAddress? first = null;
        IpAddress? deprecated = null;
        foreach (InterfaceAddress own in Volatile.Read(ref _addresses))
        {
            if (own.Address.IsV4 != destination.IsV4 || (own.Flags & AddressFlags.Unusable) != 0 || (!own.Address.IsV4 && own.Address.IsLinkLocal != destination.IsLinkLocal))
            {
                continue;
            }

            if ((own.Flags & AddressFlags.Deprecated) != 0)
            {
                deprecated ??= own.Address;
                continue;
            }

            if (destination.IsInPrefix(own.Address, own.PrefixLength))
            {
                return own.Address;
            }

            first ??= own.Address;
        }

        return first ?? deprecated;
    }

    /// <summary>Sends an IP packet to a neighbour and releases it.</summary>
    /// <param name="packet">Begins with the IP header.</param>
    /// <param name="nextHop">The router or the destination, on this link.</param>
    internal void Send(Packet packet, IpAddress nextHop)
    {
        packet.InterfaceIndex = Index;
        if (!_isUp)
        {
            Statistics.CountSendDropped();
            packet.Release();
            return;
        }

        if (Neighbors is not { } neighbors)
        {
            Transmit(packet);
            return;
        }

        neighbors.Send(packet, nextHop);
    }

    /// <summary>Sends an IP packet, or an ARP message, in a frame.</summary>
    internal void SendFrame(Packet packet, EthernetAddress destination, EtherType type)
    {
        new EthernetHeader(destination, Link.Address, type).Write(packet.Push(EthernetHeader.Length));
        packet.LinkHeader = packet.Start;
        Transmit(packet);
    }

    /// <inheritdoc/>
    public void Deliver(Packet packet)
    {
        packet.InterfaceIndex = Index;
        packet.LinkHeader = packet.Start;
        Statistics.CountReceived(packet.Length);
        if (!_isUp)
        {
            Statistics.CountReceiveDropped();
            packet.Release();
            return;
        }

        _stack.PacketSockets.Tap(packet, this, isOutgoing: false);
        if (Port is { } port)
        {
            port.Receive(packet);
            return;
        }

        Accept(packet);
    }

    /// <inheritdoc/>
    public void Flush() => _stack.Flush();

    /// <summary>Takes what came in and is the stack's own.</summary>
    internal void Accept(Packet packet)
    {
        if (!HasEthernet)
        {
            _stack.ReceiveIp(packet, this);
            return;
        }

        if (!EthernetHeader.TryParse(packet.Linear, out EthernetHeader header))
        {
            Statistics.CountReceiveError();
            packet.Release();
            return;
        }

        packet.Pull(EthernetHeader.Length);
        if (header.Destination != Link.Address && !header.Destination.IsGroup)
        {
            packet.Release(); // for somebody else: only packet sockets see it
            return;
        }

        switch (header.Type)
        {
            case EtherType.Ipv4 or EtherType.Ipv6:
                _stack.ReceiveIp(packet, this);
                break;
            case EtherType.Arp:
                Neighbors!.ReceiveArp(packet);
                break;
            default:
                Statistics.CountReceiveDropped();
                packet.Release();
                break;
        }
    }

    /// <summary>Sends what a packet socket made: a whole frame, or on a link without frames an IP packet. What it says is nobody's concern.</summary>
    public void SendRaw(Packet packet)
    {
        packet.InterfaceIndex = Index;
        packet.LinkHeader = packet.Start;
        packet.NetworkHeader = HasEthernet ? Math.Min(packet.Start + EthernetHeader.Length, packet.End) : packet.Start;
        packet.TransportHeader = packet.NetworkHeader;
        Transmit(packet);
    }

    /// <summary>Sends a frame that a bridge passes on, and releases it.</summary>
    internal void SendBridged(Packet packet)
    {
        const int Tag = 4; // of 802.1Q, which the MTU does not count
        if (!_isUp || (packet.SegmentSize == 0 && packet.Length > Mtu + EthernetHeader.Length + Tag))
        {
            Statistics.CountSendDropped();
            packet.Release();
            return;
        }

        packet.InterfaceIndex = Index;
        packet.LinkHeader = packet.Start;
        if (packet.Checksum == ChecksumState.Verified && (Link.Features & LinkFeatures.Internal) == 0)
        {
            FrameChecksum.Restart(packet, EthernetHeader.Length);
        }

        Transmit(packet);
    }

    private void Transmit(Packet packet)
    {
        Statistics.CountSent(packet.Length);
        _stack.PacketSockets.Tap(packet, this, isOutgoing: true);
        Link.Transmit(packet);
    }
}
