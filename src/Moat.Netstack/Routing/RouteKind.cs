namespace Moat.Netstack.Routing;

/// <summary>What a route does with a packet (RTN_*, with Linux's numbers).</summary>
public enum RouteKind : byte
{
    /// <summary>Sends it on.</summary>
    Unicast = 1,

    /// <summary>Takes it in.</summary>
    Local = 2,

    /// <summary>Takes it in, sends it as a broadcast.</summary>
    Broadcast = 3,

    /// <summary>Sends it to a group.</summary>
    Multicast = 5,

    /// <summary>Drops it without a word.</summary>
    Blackhole = 6,

    /// <summary>Refuses it: host unreachable.</summary>
    Unreachable = 7,

    /// <summary>Refuses it: administratively prohibited.</summary>
    Prohibit = 8,
}
