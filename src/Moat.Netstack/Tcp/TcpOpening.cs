using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The steps of connect(2). Each takes the connection's lock itself.</summary>
internal static class TcpOpening
{
    /// <summary>Begins a connection from a bound port.</summary>
    /// <param name="layer">The protocol.</param>
    /// <param name="binding">The port.</param>
    /// <param name="remote">The peer.</param>
    /// <param name="route">The way there.</param>
    /// <param name="options">The socket's options.</param>
    /// <param name="observer">Who is told of events.</param>
    /// <param name="connection">The connection, whose SYN waits to be flushed.</param>
    /// <returns>AddressNotAvailable if there is a connection between the two ends.</returns>
    public static NetError Begin(TcpLayer layer, PortBinding binding, IpEndpoint remote, in RouteDecision route, TcpOptionSet options, ISocketObserver observer, out TcpConnection? connection)
    {
        FlowKey key = new(new IpEndpoint(route.Source, binding.Local.Port), remote);
        connection = new TcpConnection(layer, key, options, route) { Observer = observer };
        if (options.ReceiveBuffer > 0)
        {
            connection.Receiver.Buffer = options.ReceiveBuffer;
        }

        TcpTimeWait? remains = layer.Find(key) as TcpTimeWait;
        if (remains is { MayBeReused: true })
        {
            remains.End();
        }

        if (!layer.TryAdd(connection))
        {
            connection = null;
            return NetError.AddressNotAvailable;
        }

        layer.CountOpening(isActive: true);
        lock (connection.Lock)
        {
            connection.Connect(remains, layer.Stack.Host.NowNs);
        }

        return NetError.None;
    }

    /// <summary>Whether a socket can connect to an address; any address is this machine's own.</summary>
    /// <returns>WrongFamily, NetworkUnreachable.</returns>
    public static NetError CheckTarget(IpAddress remote, bool isV6, bool isV6Only, out IpAddress target)
    {
        target = remote.IsAny ? remote.IsV4 ? IpAddress.LoopbackV4 : IpAddress.LoopbackV6 : remote;
        if (!isV6 && !remote.IsV4)
        {
            return NetError.WrongFamily;
        }

        return (isV6Only && remote.IsV4) || target.IsMulticast || target == IpAddress.BroadcastV4 ? NetError.NetworkUnreachable : NetError.None;
    }

    /// <summary>What stands in the way of another attempt.</summary>
    /// <returns>AlreadyInProgress, AlreadyConnected, or None.</returns>
    public static NetError Check(TcpConnection connection)
    {
        lock (connection.Lock)
        {
            return connection.State switch
            {
                TcpState.SynSent or TcpState.SynReceived => NetError.AlreadyInProgress,
                TcpState.Closed => NetError.None, // a failed attempt may be followed by another
                _ => NetError.AlreadyConnected,
            };
        }
    }

    /// <summary>How an attempt went; an error is fetched once.</summary>
    /// <param name="connection">The attempt.</param>
    /// <param name="stood">Whether the connection is known to have stood.</param>
    /// <returns>None if it stands or has stood, InProgress, or why it failed.</returns>
    public static NetError Finish(TcpConnection connection, bool stood)
    {
        lock (connection.Lock)
        {
            if (connection.State is TcpState.SynSent or TcpState.SynReceived)
            {
                return NetError.InProgress;
            }

            if (connection.State != TcpState.Closed || stood)
            {
                return NetError.None;
            }

            NetError error = connection.TakeError();
            return error != NetError.None ? error : NetError.ConnectionAborted;
        }
    }
}
