using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>A connection, a request or what is left of a connection, for /proc/net/tcp.</summary>
public readonly struct TcpFlowStatus
{
    /// <summary>This end.</summary>
    public required IpEndpoint Local { get; init; }

    /// <summary>The other end.</summary>
    public required IpEndpoint Remote { get; init; }

    /// <summary>What it is doing.</summary>
    public required TcpStatus Status { get; init; }

    /// <summary>Bytes not acknowledged.</summary>
    public long SendQueue { get; init; }

    /// <summary>Bytes not read.</summary>
    public long ReceiveQueue { get; init; }
}
