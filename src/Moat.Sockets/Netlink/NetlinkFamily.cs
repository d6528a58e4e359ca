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

    /// <summary>The family for a stack.</summary>
    public NetlinkFamily(SocketFilesystem home, NetworkStack stack)
    {
        Home = home;
        Stack = stack;
        Add(new RouteProtocol(stack, Ports));
        Add(new NetfilterProtocol(stack));
        Add(new DiagProtocol(home, stack));
    }

    /// <summary>The home of the sockets.</summary>
    internal SocketFilesystem Home { get; }

    /// <summary>The network that is told of.</summary>
    internal NetworkStack Stack { get; }

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
