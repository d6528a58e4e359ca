using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Lists what a network's internet sockets are doing: those with a descriptor, and TCP's connections that have none.</summary>
internal sealed class InetSocketList(SocketNetwork network)
{
    /// <summary>TCP sockets and connections of one family, listeners first.</summary>
    public List<SocketDescription> ListTcp(bool isV6)
    {
        List<SocketDescription> listeners = [];
        List<SocketDescription> others = [];
        HashSet<(IpEndpoint Local, IpEndpoint Remote)> seen = [];
        foreach (InetStream socket in network.Registry.List<InetStream>())
        {
            SocketDescription description = socket.Describe();
            _ = seen.Add((description.Local, description.Remote));
            if (socket.IsV6 == isV6)
            {
                (description.State == (int)TcpState.Listen ? listeners : others).Add(description);
            }
        }

        foreach (TcpFlowStatus flow in network.Stack.Tcp.ListFlows())
        {
            if (flow.Local.Address.IsV4 != isV6 && !seen.Contains((flow.Local, flow.Remote)))
            {
                others.Add(new SocketDescription
                {
                    Family = isV6 ? AddressFamily.AF_INET6 : AddressFamily.AF_INET,
                    Type = SocketType.SOCK_STREAM,
                    Protocol = (int)IpProtocol.Tcp,
                    State = (int)flow.Status.State,
                    Local = flow.Local,
                    Remote = flow.Remote,
                    SendQueue = flow.SendQueue,
                    ReceiveQueue = flow.ReceiveQueue,
                    Tcp = flow.Status,
                });
            }
        }

        listeners.AddRange(others);
        return listeners;
    }

    /// <summary>Sockets for datagrams of one family that are bound.</summary>
    /// <param name="isV6">The family.</param>
    /// <param name="type">SOCK_DGRAM or SOCK_RAW.</param>
    /// <param name="protocol">Of which protocol; null for all.</param>
    public List<SocketDescription> ListDatagrams(bool isV6, SocketType type, IpProtocol? protocol)
    {
        List<SocketDescription> found = [];
        foreach (Socket socket in network.Registry.List<Socket>())
        {
            if (socket is IInetSocket inet && inet.IsV6 == isV6 && socket.Type == type && (protocol is null || socket.Protocol == (int)protocol)
                && socket.Describe() is { } description && (type == SocketType.SOCK_RAW || description.Local.Port != 0))
            {
                found.Add(description);
            }
        }

        found.Reverse();
        return found;
    }
}
