namespace Moat.Netstack.Sockets;

/// <summary>The options of IP that datagram and raw sockets have, with the names of ip(7). Guarded by the socket's lock, or set before it is used.</summary>
public sealed class IpSocketOptions
{
    /// <summary>IP_TTL or IPV6_UNICAST_HOPS.</summary>
    public byte TimeToLive { get; set; } = 64;

    /// <summary>IP_TOS or IPV6_TCLASS.</summary>
    public byte TypeOfService { get; set; }

    /// <summary>IP_MULTICAST_TTL or IPV6_MULTICAST_HOPS.</summary>
    public byte MulticastTimeToLive { get; set; } = 1;

    /// <summary>IP_MULTICAST_LOOP.</summary>
    public bool MulticastLoop { get; set; } = true;

    /// <summary>IP_MULTICAST_ALL: hears groups that others have joined.</summary>
    public bool MulticastAll { get; set; } = true;

    /// <summary>IP_MULTICAST_IF; 0 for the route's.</summary>
    public int MulticastInterface { get; set; }

    /// <summary>IP_MTU_DISCOVER with IP_PMTUDISC_DO.</summary>
    public bool DontFragment { get; set; }

    /// <summary>SO_BROADCAST.</summary>
    public bool Broadcast { get; set; }

    /// <summary>IP_RECVERR.</summary>
    public bool ReceivesErrors { get; set; }

    /// <summary>IP_PKTINFO or IPV6_RECVPKTINFO.</summary>
    public bool ReceivesPacketInfo { get; set; }

    /// <summary>IP_RECVTTL or IPV6_RECVHOPLIMIT.</summary>
    public bool ReceivesTimeToLive { get; set; }

    /// <summary>IP_RECVTOS or IPV6_RECVTCLASS.</summary>
    public bool ReceivesTypeOfService { get; set; }

    /// <summary>Whether datagrams are stamped with the time of their arrival.</summary>
    public bool StampsArrival { get; set; }

    /// <summary>IP_FREEBIND.</summary>
    public bool FreeBind { get; set; }

    /// <summary>SO_BINDTODEVICE; 0 for none.</summary>
    public int BoundInterface { get; set; }

    /// <summary>SO_MARK.</summary>
    public uint Mark { get; set; }
}
