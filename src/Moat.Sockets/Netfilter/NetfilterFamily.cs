namespace Moat.Sockets.Netfilter;

/// <summary>Families of rules (NFPROTO_*, linux/netfilter.h).</summary>
internal enum NetfilterFamily : byte
{
    /// <summary>Any.</summary>
    NFPROTO_UNSPEC = 0,

    /// <summary>IPv4 and IPv6 in one table.</summary>
    NFPROTO_INET = 1,

    /// <summary>IPv4.</summary>
    NFPROTO_IPV4 = 2,

    /// <summary>IPv6.</summary>
    NFPROTO_IPV6 = 10,
}
