using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Routing;

/// <summary>How a packet to some destination leaves. Good as long as <see cref="RoutingTable.Generation"/> has the value it had.</summary>
public readonly struct RouteDecision
{
    /// <summary>Out of which interface; loopback for own addresses.</summary>
    public required NetworkInterface Interface { get; init; }

    /// <summary>The source address to use if none is bound.</summary>
    public required IpAddress Source { get; init; }

    /// <summary>Whom to send it to on the link: the router or the destination.</summary>
    public required IpAddress NextHop { get; init; }

    /// <summary>What the destination is.</summary>
    public required RouteKind Kind { get; init; }

    /// <summary>The largest IP packet that may be sent.</summary>
    public required int Mtu { get; init; }

    /// <summary>The table's generation when this was decided.</summary>
    public required int Generation { get; init; }
}
