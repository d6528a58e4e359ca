using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>An entry of an error queue: what <c>struct sock_extended_err</c> says (ip(7), IP_RECVERR).</summary>
public readonly struct QueuedError
{
    /// <summary>The error.</summary>
    public required NetError Error { get; init; }

    /// <summary>Whether this machine found it; otherwise it came by ICMP.</summary>
    public bool IsLocal { get; init; }

    /// <summary>Its ICMP type.</summary>
    public byte Type { get; init; }

    /// <summary>Its ICMP code.</summary>
    public byte Code { get; init; }

    /// <summary>The type's argument: the MTU of the next hop, or the offending byte.</summary>
    public uint Info { get; init; }

    /// <summary>Who sent the error.</summary>
    public IpAddress Offender { get; init; }

    /// <summary>Where the datagram was sent to.</summary>
    public required IpEndpoint Destination { get; init; }

    /// <summary>What the ICMP message's own header said, for IP_PKTINFO and IP_RECVTTL.</summary>
    public ReceivedDatagram Message { get; init; }

    /// <summary>The datagram's payload, as much of it as came back.</summary>
    public required byte[] Payload { get; init; }
}
