using Moat.Netstack.Wire;

namespace Moat.Netstack.Routing;

/// <summary>An entry of the routing table (rtnetlink(7)).</summary>
/// <param name="Destination">The network.</param>
/// <param name="PrefixLength">Its bits; 0 is the default route.</param>
/// <param name="InterfaceIndex">Out of which interface.</param>
public sealed record Route(IpAddress Destination, int PrefixLength, int InterfaceIndex)
{
    /// <summary>The router, or null if the destination is on the link.</summary>
    public IpAddress? Gateway { get; init; }

    /// <summary>The source address that is preferred on it, or null.</summary>
    public IpAddress? PreferredSource { get; init; }

    /// <summary>Among equal prefixes the lowest counts (RTA_PRIORITY).</summary>
    public uint Metric { get; init; }

    /// <summary>RTN_*: unicast, local, broadcast, unreachable, prohibit, blackhole.</summary>
    public RouteKind Kind { get; init; } = RouteKind.Unicast;

    /// <summary>RTPROT_*: who made it.</summary>
    public byte Protocol { get; init; } = 3;

    /// <summary>RT_SCOPE_*.</summary>
    public byte Scope { get; init; }

    /// <summary>The table it is in: 254 main, 255 local.</summary>
    public uint Table { get; init; } = 254;

    /// <summary>The MTU towards it, or 0 for the interface's.</summary>
    public int Mtu { get; init; }
}
