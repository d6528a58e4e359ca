using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>An ICMP error about a packet that this stack sent, as both versions' transports see it.</summary>
public readonly struct IpError
{
    /// <summary>What a socket reports.</summary>
    public required NetError Error { get; init; }

    /// <summary>Whether it ends a connection attempt at once (RFC 1122 section 4.2.3.9) or is only a hint.</summary>
    public bool IsHard { get; init; }

    /// <summary>The MTU of the next hop if the packet was too big; otherwise 0.</summary>
    public int Mtu { get; init; }

    /// <summary>The source of the packet that caused it: an own address.</summary>
    public required IpAddress Local { get; init; }

    /// <summary>Its destination.</summary>
    public required IpAddress Remote { get; init; }

    /// <summary>Who sent the error.</summary>
    public required IpAddress Offender { get; init; }

    /// <summary>Its ICMP type, for the error queue.</summary>
    public byte Type { get; init; }

    /// <summary>Its ICMP code.</summary>
    public byte Code { get; init; }

    /// <summary>The type's argument, such as the MTU, for the error queue.</summary>
    public uint Info { get; init; }

    /// <summary>The header of the message that told it, for the error queue.</summary>
    public ReceivedDatagram Message { get; init; }
}
