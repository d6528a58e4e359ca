namespace Moat.Sockets;

/// <summary>Address families that the kernel's own code names (<c>linux/socket.h</c>).</summary>
public enum AddressFamily
{
    AF_UNSPEC = 0,
    AF_UNIX = 1,
    AF_INET = 2,
    AF_BRIDGE = 7,
    AF_INET6 = 10,
    AF_NETLINK = 16,
    AF_PACKET = 17,

    /// <summary>Numbers from here on are no family at all.</summary>
    AF_MAX = 46,
}
