using Moat.Host.Sockets;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;
using Moat.Sockets;

namespace Moat.Sentry.Network;

/// <summary>AF_INET or AF_INET6 where the network is the host's (--network=host): stream, datagram and ping sockets, each of which is one of the host.</summary>
internal sealed class PassthroughFamily(SocketNetwork network, PassthroughPoller poller, AddressFamily number) : ISocketFamily
{
    private const int IpProtoIcmp = 1;
    private const int IpProtoTcp = 6;
    private const int IpProtoUdp = 17;
    private const int IpProtoIcmpV6 = 58;

    /// <summary>The network that the sockets are in.</summary>
    public SocketNetwork Network => network;

    /// <summary>The interfaces that ioctls tell of.</summary>
    public NetworkStack Shown => network.Stack;

    /// <summary>Its number.</summary>
    public AddressFamily Number => number;

    /// <summary>Waits on the host.</summary>
    public PassthroughPoller Poller => poller;

    /// <inheritdoc/>
    public Result<Socket> Create(GuestTask task, SocketType type, int protocol, OpenFlags flags)
    {
        switch (type)
        {
            case SocketType.SOCK_STREAM when protocol is 0 or IpProtoTcp:
            case SocketType.SOCK_DGRAM when protocol is 0 or IpProtoUdp or IpProtoIcmp or IpProtoIcmpV6:
                return HostSocket.Create((int)number, (int)type, protocol).TryGet(out int fd, out Errno errno) ? new PassthroughSocket(this, task, type, fd, flags) : errno;
            case SocketType.SOCK_STREAM or SocketType.SOCK_DGRAM:
                return Errno.EPROTONOSUPPORT;
            case SocketType.SOCK_RAW:
                return Errno.EPERM; // the Sentry has no capability on the host
            default:
                return Errno.ESOCKTNOSUPPORT;
        }
    }

    /// <inheritdoc/>
    public Result<(Socket First, Socket Second)> CreatePair(GuestTask task, SocketType type, int protocol, OpenFlags flags) => Errno.EOPNOTSUPP;
}
