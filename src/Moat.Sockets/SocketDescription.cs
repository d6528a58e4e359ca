using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Sockets;

/// <summary>What /proc/net and NETLINK_SOCK_DIAG tell of a socket, whatever its family is; what a family does not have stays at its default.</summary>
public sealed class SocketDescription
{
    /// <summary>Its family.</summary>
    public required AddressFamily Family { get; init; }

    /// <summary>SO_TYPE.</summary>
    public required SocketType Type { get; init; }

    /// <summary>SO_PROTOCOL.</summary>
    public required int Protocol { get; init; }

    /// <summary>The inode's number; 0 for a connection that no socket has.</summary>
    public ulong Inode { get; init; }

    /// <summary>Who made it.</summary>
    public uint Owner { get; init; }

    /// <summary>Its state, with the numbers of TCP: 1 connected, 7 not, 10 listening.</summary>
    public int State { get; init; } = (int)TcpState.Closed;

    /// <summary>Bytes that nobody has read; of a listener the connections that nobody has accepted.</summary>
    public long ReceiveQueue { get; init; }

    /// <summary>Bytes that have not been acknowledged; of a listener the most that may wait.</summary>
    public long SendQueue { get; init; }

    /// <summary>Its own end.</summary>
    public IpEndpoint Local { get; init; }

    /// <summary>The other end; any address and port 0 for none.</summary>
    public IpEndpoint Remote { get; init; }

    /// <summary>The interface it is bound to, or sees; 0 for all.</summary>
    public int InterfaceIndex { get; init; }

    /// <summary>Datagrams that found no room.</summary>
    public long Drops { get; init; }

    /// <summary>IPV6_V6ONLY.</summary>
    public bool IsV6Only { get; init; }

    /// <summary>IP_TOS.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>IPV6_TCLASS.</summary>
    public byte TrafficClass { get; init; }

    /// <summary>SO_MARK.</summary>
    public uint Mark { get; init; }

    /// <summary>The directions that are shut down, with the bits of <see cref="ShutdownDirections"/>.</summary>
    public ShutdownDirections Shutdown { get; init; }

    /// <summary>TCP_INFO of a TCP socket.</summary>
    public TcpStatus? Tcp { get; init; }

    /// <summary>TCP_CONGESTION.</summary>
    public string? CongestionControl { get; init; }

    /// <summary>SO_SNDBUF and SO_RCVBUF.</summary>
    public (int Send, int Receive) Buffers { get; init; }

    /// <summary>The name of a unix socket as bytes, an abstract one with its leading zero; null for none.</summary>
    public byte[]? Name { get; init; }

    /// <summary>The inode of the peer of a unix socket; 0 for none.</summary>
    public ulong Peer { get; init; }

    /// <summary>The port of a netlink socket.</summary>
    public uint Port { get; init; }

    /// <summary>The port it is connected to.</summary>
    public uint PeerPort { get; init; }

    /// <summary>The first 32 of its groups.</summary>
    public uint Groups { get; init; }
}
