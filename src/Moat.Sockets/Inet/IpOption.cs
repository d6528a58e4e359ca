namespace Moat.Sockets.Inet;

/// <summary>Options of IP, <c>linux/in.h</c> and <c>linux/in6.h</c>, that the kernel's own code names.</summary>
internal static class IpOption
{
    public const int IP_TOS = 1;
    public const int IP_TTL = 2;
    public const int IP_HDRINCL = 3;
    public const int IP_OPTIONS = 4;
    public const int IP_PKTINFO = 8;
    public const int IP_MTU_DISCOVER = 10;
    public const int IP_RECVERR = 11;
    public const int IP_RECVTTL = 12;
    public const int IP_RECVTOS = 13;
    public const int IP_MTU = 14;
    public const int IP_FREEBIND = 15;
    public const int IP_RECVORIGDSTADDR = 20;
    public const int IP_MINTTL = 21;
    public const int IP_BIND_ADDRESS_NO_PORT = 24;
    public const int IP_MULTICAST_IF = 32;
    public const int IP_MULTICAST_TTL = 33;
    public const int IP_MULTICAST_LOOP = 34;
    public const int IP_ADD_MEMBERSHIP = 35;
    public const int IP_DROP_MEMBERSHIP = 36;
    public const int IP_UNBLOCK_SOURCE = 37;
    public const int IP_BLOCK_SOURCE = 38;
    public const int IP_ADD_SOURCE_MEMBERSHIP = 39;
    public const int IP_DROP_SOURCE_MEMBERSHIP = 40;
    public const int IP_MULTICAST_ALL = 49;
    public const int IP_UNICAST_IF = 50;
    public const int IP_PROTOCOL = 52;

    public const int MCAST_JOIN_GROUP = 42;
    public const int MCAST_BLOCK_SOURCE = 43;
    public const int MCAST_UNBLOCK_SOURCE = 44;
    public const int MCAST_LEAVE_GROUP = 45;
    public const int MCAST_JOIN_SOURCE_GROUP = 46;
    public const int MCAST_LEAVE_SOURCE_GROUP = 47;

    public const int IPV6_UNICAST_HOPS = 16;
    public const int IPV6_MULTICAST_IF = 17;
    public const int IPV6_MULTICAST_HOPS = 18;
    public const int IPV6_MULTICAST_LOOP = 19;
    public const int IPV6_JOIN_GROUP = 20;
    public const int IPV6_LEAVE_GROUP = 21;
    public const int IPV6_MTU_DISCOVER = 23;
    public const int IPV6_MTU = 24;
    public const int IPV6_RECVERR = 25;
    public const int IPV6_V6ONLY = 26;
    public const int IPV6_MULTICAST_ALL = 29;
    public const int IPV6_RECVPKTINFO = 49;
    public const int IPV6_PKTINFO = 50;
    public const int IPV6_RECVHOPLIMIT = 51;
    public const int IPV6_HOPLIMIT = 52;
    public const int IPV6_DONTFRAG = 62;
    public const int IPV6_RECVTCLASS = 66;
    public const int IPV6_TCLASS = 67;
    public const int IPV6_MINHOPCOUNT = 73;
    public const int IPV6_FREEBIND = 78;
}
