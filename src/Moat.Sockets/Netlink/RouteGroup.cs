namespace Moat.Sockets.Netlink;

/// <summary>Multicast groups of NETLINK_ROUTE (<c>linux/rtnetlink.h</c>).</summary>
public enum RouteGroup
{
    RTNLGRP_LINK = 1,
    RTNLGRP_NEIGH = 3,
    RTNLGRP_IPV4_IFADDR = 5,
    RTNLGRP_IPV4_ROUTE = 7,
    RTNLGRP_IPV6_IFADDR = 9,
    RTNLGRP_IPV6_ROUTE = 11,
    RTNLGRP_NSID = 28,
}
