namespace Moat.Netstack.Sockets;

/// <summary>The options of IP that are on or off, with the names of ip(7) and ipv6(7).</summary>
[Flags]
public enum IpFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>IP_PKTINFO.</summary>
    PacketInfo = 1 << 0,

    /// <summary>IP_RECVTTL.</summary>
    TimeToLive = 1 << 1,

    /// <summary>IP_RECVTOS.</summary>
    TypeOfService = 1 << 2,

    /// <summary>IP_RECVERR: errors are queued.</summary>
    Errors = 1 << 3,

    /// <summary>IP_RECVORIGDSTADDR.</summary>
    OriginalDestination = 1 << 4,

    /// <summary>IP_FREEBIND, IPV6_FREEBIND.</summary>
    FreeBind = 1 << 5,

    /// <summary>IP_MULTICAST_LOOP.</summary>
    MulticastLoop = 1 << 6,

    /// <summary>IP_MULTICAST_ALL: hears groups that others have joined.</summary>
    MulticastAll = 1 << 7,

    /// <summary>IP_BIND_ADDRESS_NO_PORT.</summary>
    BindsNoPort = 1 << 8,

    /// <summary>IP_HDRINCL: the program writes the IP header.</summary>
    IncludesHeader = 1 << 9,

    /// <summary>IPV6_RECVPKTINFO.</summary>
    PacketInfoV6 = 1 << 16,

    /// <summary>IPV6_RECVHOPLIMIT.</summary>
    HopLimit = 1 << 17,

    /// <summary>IPV6_RECVTCLASS.</summary>
    TrafficClass = 1 << 18,

    /// <summary>IPV6_RECVERR.</summary>
    ErrorsV6 = 1 << 19,

    /// <summary>IPV6_MULTICAST_LOOP.</summary>
    MulticastLoopV6 = 1 << 20,

    /// <summary>IPV6_MULTICAST_ALL.</summary>
    MulticastAllV6 = 1 << 21,

    /// <summary>IPV6_DONTFRAG.</summary>
    DontFragmentV6 = 1 << 22,
}
