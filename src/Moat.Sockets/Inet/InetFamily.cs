using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Sockets.Inet;

/// <summary>AF_INET or AF_INET6: makes stream and datagram sockets of a stack.</summary>
public sealed class InetFamily(SocketNetwork network, bool isV6) : ISocketFamily
{
    private const int IpProtoTcp = 6;
    private const int IpProtoUdp = 17;

    /// <summary>The network that the sockets are in.</summary>
    internal SocketNetwork Network => network;

    /// <summary>The home of the sockets.</summary>
    internal SocketFilesystem Home => network.Home;

    /// <summary>The stack.</summary>
    internal NetworkStack Stack => network.Stack;

    /// <summary>Whether it is AF_INET6.</summary>
    internal bool IsV6 => isV6;

    /// <summary>The options of iptables.</summary>
    internal XtOptions Filters { get; } = new(isV6 ? network.TablesV6 : network.TablesV4, isV6 ? XtLayout.V6 : XtLayout.V4);

    /// <summary>Its number.</summary>
    internal AddressFamily Number => isV6 ? AddressFamily.AF_INET6 : AddressFamily.AF_INET;

    /// <inheritdoc/>
    public Result<Socket> Create(GuestTask task, SocketType type, int protocol, OpenFlags flags) => type switch
    {
        SocketType.SOCK_RAW => CreateRaw(task, protocol, flags),
        SocketType.SOCK_DGRAM when protocol == (int)(isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp) => new InetMessages(this, task, type, (IpProtocol)protocol, flags),
        SocketType.SOCK_STREAM when protocol is 0 or IpProtoTcp => new InetStream(this, task, flags),
        SocketType.SOCK_DGRAM when protocol is 0 or IpProtoUdp => new InetDatagram(this, task, flags),
        SocketType.SOCK_DGRAM when protocol == (int)IpProtocol.UdpLite => new InetDatagram(this, task, flags, isLite: true),
        SocketType.SOCK_STREAM or SocketType.SOCK_DGRAM => Errno.EPROTONOSUPPORT,
        _ => Errno.ESOCKTNOSUPPORT,
    };

    /// <inheritdoc/>
    public Result<(Socket First, Socket Second)> CreatePair(GuestTask task, SocketType type, int protocol, OpenFlags flags) => Errno.EOPNOTSUPP;

    private Result<Socket> CreateRaw(GuestTask task, int protocol, OpenFlags flags)
    {
        if (protocol is <= 0 or > (int)IpProtocol.Raw)
        {
            return Errno.EPROTONOSUPPORT;
        }

        return task.Credentials.HasCapability(Capability.CAP_NET_RAW) ? new InetMessages(this, task, SocketType.SOCK_RAW, (IpProtocol)protocol, flags) : Errno.EPERM;
    }
}
