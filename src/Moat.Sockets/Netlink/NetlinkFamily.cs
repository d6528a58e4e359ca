using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;
using Moat.Sockets.Netfilter;

namespace Moat.Sockets.Netlink;

/// <summary>AF_NETLINK (netlink(7)): makes the netlink sockets of a network.</summary>
public sealed class NetlinkFamily : ISocketFamily
{
    private const int ProtocolCount = 32; // MAX_LINKS

    private readonly INetlinkProtocol?[] _protocols = new INetlinkProtocol?[ProtocolCount];

    /// <summary>The family for a network.</summary>
    public NetlinkFamily(SocketNetwork network)
    {
        Network = network;
        UeventProtocol uevents = new(Ports);
        Add(new RouteProtocol(network, Ports, uevents));
        Add(uevents);
        Add(new NetfilterProtocol(network.Stack));
        Add(new DiagProtocol(network));
    }

    /// <summary>The network that the sockets are in.</summary>
    internal SocketNetwork Network { get; }

    /// <summary>The home of the sockets.</summary>
    internal SocketFilesystem Home => Network.Home;

    /// <summary>The network that is told of.</summary>
    internal NetworkStack Stack => Network.Stack;

    /// <summary>Its sockets by port.</summary>
    internal NetlinkPorts Ports { get; } = new();

    /// <inheritdoc/>
    public Result<Socket> Create(GuestTask task, SocketType type, int protocol, OpenFlags flags)
    {
        if (type is not (SocketType.SOCK_RAW or SocketType.SOCK_DGRAM))
        {
            return Errno.ESOCKTNOSUPPORT;
        }

        return (uint)protocol < ProtocolCount && _protocols[protocol] is { } found ? new NetlinkSocket(this, found, task, type, flags) : Errno.EPROTONOSUPPORT;
    }

    /// <inheritdoc/>
    public Result<(Socket First, Socket Second)> CreatePair(GuestTask task, SocketType type, int protocol, OpenFlags flags) => Errno.EOPNOTSUPP;

    private void Add(INetlinkProtocol protocol) => _protocols[protocol.Number] = protocol;
}
