using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>The options of IP that all sockets have, with the names of ip(7) and ipv6(7). A socket for IPv6 has those of IPv4 as well, for what it sends to mapped addresses. Set under the socket's lock, or before it is used.</summary>
public sealed class IpSocketOptions
{
    private const int Default = -1;
    private const byte DefaultHops = 64;

    /// <summary>The options that are on.</summary>
    public IpFlags Flags { get; set; } = IpFlags.MulticastLoop | IpFlags.MulticastAll | IpFlags.MulticastLoopV6 | IpFlags.MulticastAllV6;

    /// <summary>IP_TTL.</summary>
    public byte TimeToLive { get; set; } = DefaultHops;

    /// <summary>IP_TOS.</summary>
    public byte TypeOfService { get; set; }

    /// <summary>IP_MULTICAST_TTL.</summary>
    public byte MulticastTimeToLive { get; set; } = 1;

    /// <summary>IPV6_UNICAST_HOPS; -1 for the default.</summary>
    public int HopLimit { get; set; } = Default;

    /// <summary>IPV6_TCLASS.</summary>
    public byte TrafficClass { get; set; }

    /// <summary>IPV6_MULTICAST_HOPS.</summary>
    public byte MulticastHops { get; set; } = 1;

    /// <summary>IP_MULTICAST_IF; 0 for the route's.</summary>
    public int MulticastInterface { get; set; }

    /// <summary>IP_MULTICAST_IF's address; any for none.</summary>
    public IpAddress MulticastSource { get; set; } = IpAddress.AnyV4;

    /// <summary>IPV6_MULTICAST_IF.</summary>
    public int MulticastInterfaceV6 { get; set; }

    /// <summary>IP_UNICAST_IF, IPV6_UNICAST_IF.</summary>
    public int UnicastInterface { get; set; }

    /// <summary>IP_MTU_DISCOVER.</summary>
    public byte MtuDiscovery { get; set; } = 1;

    /// <summary>IPV6_MTU_DISCOVER.</summary>
    public byte MtuDiscoveryV6 { get; set; } = 1;

    /// <summary>IP_MINTTL: segments with less are dropped.</summary>
    public byte MinTimeToLive { get; set; }

    /// <summary>IPV6_MINHOPCOUNT.</summary>
    public byte MinHopCount { get; set; }

    /// <summary>Who made the socket, for rules.</summary>
    public Packets.PacketOwner? Owner { get; set; }

    /// <summary>SO_BROADCAST.</summary>
    public bool Broadcast { get; set; }

    /// <summary>Whether datagrams are stamped with the time of their arrival.</summary>
    public bool StampsArrival { get; set; }

    /// <summary>SO_ATTACH_FILTER, or null.</summary>
    public ISocketFilter? Filter { get; set; }

    /// <summary>SO_BINDTODEVICE; 0 for none.</summary>
    public int BoundInterface { get; set; }

    /// <summary>SO_MARK.</summary>
    public uint Mark { get; set; }

    /// <summary>Whether an option is on.</summary>
    public bool Has(IpFlags flags) => (Flags & flags) != 0;

    /// <summary>Turns options on or off.</summary>
    public void Set(IpFlags flags, bool isOn) => Flags = isOn ? Flags | flags : Flags & ~flags;

    /// <summary>A copy for an accepted connection.</summary>
    public IpSocketOptions Clone() => (IpSocketOptions)MemberwiseClone();

    /// <summary>The TTL or hop limit of a packet to an address.</summary>
    public byte HopsTo(IpAddress destination, byte linkHops = DefaultHops) =>
        destination.IsV4 ? destination.IsMulticast ? MulticastTimeToLive : TimeToLive
        : destination.IsMulticast ? MulticastHops : HopLimit == Default ? linkHops : (byte)HopLimit;

    /// <summary>The TOS or traffic class of a packet to an address.</summary>
    public byte ClassTo(IpAddress destination) => destination.IsV4 ? TypeOfService : TrafficClass;

    /// <summary>Whether a packet to an address that is too large is refused instead of being cut.</summary>
    public bool DontFragmentTo(IpAddress destination)
    {
        const byte Do = 2;
        const byte Probe = 3;
        return destination.IsV4 ? MtuDiscovery is Do or Probe : MtuDiscoveryV6 is Do or Probe || Has(IpFlags.DontFragmentV6);
    }

    /// <summary>The interface that packets to an address must leave through; 0 for the route's.</summary>
    public int InterfaceTo(IpAddress destination)
    {
        int multicast = destination.IsV4 ? MulticastInterface : MulticastInterfaceV6;
        return BoundInterface != 0 ? BoundInterface : destination.IsMulticast ? multicast : UnicastInterface;
    }

    /// <summary>Whether errors about packets to an address are queued.</summary>
    public bool QueuesErrorsOf(IpAddress destination) => Has(destination.IsV4 ? IpFlags.Errors : IpFlags.ErrorsV6);

    /// <summary>Whether a packet from an address has come near enough (RFC 5082).</summary>
    public bool AcceptsHops(IpAddress source, byte hops) => hops >= (source.IsV4 ? MinTimeToLive : MinHopCount);
}
