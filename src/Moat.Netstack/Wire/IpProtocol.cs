namespace Moat.Netstack.Wire;

/// <summary>What an IP packet carries, and the extension headers of IPv6 (IANA protocol numbers).</summary>
public enum IpProtocol : byte
{
    /// <summary>IPv6 hop-by-hop options.</summary>
    HopByHop = 0,

    /// <summary>ICMP for IPv4.</summary>
    Icmp = 1,

    /// <summary>IGMP.</summary>
    Igmp = 2,

    /// <summary>TCP.</summary>
    Tcp = 6,

    /// <summary>UDP.</summary>
    Udp = 17,

    /// <summary>IPv6 routing header.</summary>
    Routing = 43,

    /// <summary>IPv6 fragment header.</summary>
    Fragment = 44,

    /// <summary>ICMP for IPv6.</summary>
    IcmpV6 = 58,

    /// <summary>IPv6: nothing follows.</summary>
    NoNextHeader = 59,

    /// <summary>IPv6 destination options.</summary>
    DestinationOptions = 60,

    /// <summary>UDP-Lite (RFC 3828).</summary>
    UdpLite = 136,

    /// <summary>Raw sockets: every protocol.</summary>
    Raw = 255,
}
