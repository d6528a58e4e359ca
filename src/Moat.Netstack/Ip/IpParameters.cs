using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>What a transport wants written into the IP header of a packet it sends.</summary>
public readonly struct IpParameters
{
    /// <summary>From whom: an own address.</summary>
    public required IpAddress Source { get; init; }

    /// <summary>To whom.</summary>
    public required IpAddress Destination { get; init; }

    /// <summary>What the packet carries.</summary>
    public required IpProtocol Protocol { get; init; }

    /// <summary>TTL or hop limit.</summary>
    public byte TimeToLive { get; init; }

    /// <summary>TOS or traffic class.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>Whether a packet larger than the MTU is refused (MessageTooLong) instead of being cut.</summary>
    public bool DontFragment { get; init; }
}
