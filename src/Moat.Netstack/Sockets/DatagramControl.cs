using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>What the control messages of one datagram want (IP_PKTINFO, IP_TTL, IP_TOS and their like); the default wants nothing.</summary>
public readonly record struct DatagramControl
{
    /// <summary>The source address, or null for the route's.</summary>
    public IpAddress? Source { get; init; }

    /// <summary>The interface, or 0.</summary>
    public int InterfaceIndex { get; init; }

    /// <summary>The TTL or hop limit, or null for the socket's.</summary>
    public byte? Hops { get; init; }

    /// <summary>The TOS or traffic class, or null for the socket's.</summary>
    public byte? Class { get; init; }

    /// <summary>UDP_SEGMENT: the size of the datagrams that the bytes are cut into; 0 for one datagram, null for the socket's.</summary>
    public int? SegmentSize { get; init; }

    /// <summary>Whether the way is not that of the connected end.</summary>
    public bool ChangesRoute => Source is not null || InterfaceIndex != 0;
}
