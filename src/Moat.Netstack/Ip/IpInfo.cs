using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>What a transport is told of the IP header of a packet that came in, the same for both versions.</summary>
public readonly struct IpInfo
{
    /// <summary>From whom.</summary>
    public required IpAddress Source { get; init; }

    /// <summary>To whom: an own address, a broadcast address, a group.</summary>
    public required IpAddress Destination { get; init; }

    /// <summary>What it carries.</summary>
    public required IpProtocol Protocol { get; init; }

    /// <summary>TTL or hop limit.</summary>
    public byte TimeToLive { get; init; }

    /// <summary>TOS or traffic class.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>Where it came in.</summary>
    public required NetworkInterface Interface { get; init; }

    /// <summary>What the destination is: Local, Broadcast or Multicast.</summary>
    public required Routing.RouteKind Kind { get; init; }
}
