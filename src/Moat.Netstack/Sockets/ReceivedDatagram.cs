using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>What a datagram that was received tells beside its data.</summary>
public struct ReceivedDatagram
{
    /// <summary>Who sent it.</summary>
    public IpEndpoint Source { get; set; }

    /// <summary>To whom it was sent: an own address, a broadcast address or a group (IP_PKTINFO).</summary>
    public IpAddress Destination { get; set; }

    /// <summary>Where it came in.</summary>
    public int InterfaceIndex { get; set; }

    /// <summary>TTL or hop limit.</summary>
    public byte TimeToLive { get; set; }

    /// <summary>TOS or traffic class.</summary>
    public byte TypeOfService { get; set; }

    /// <summary>When it arrived: monotonic nanoseconds.</summary>
    public long ArrivedNs { get; set; }

    /// <summary>Its whole length, of which the caller may have had room for a part (MSG_TRUNC).</summary>
    public int Length { get; set; }

    /// <summary>Whether a part was cut off.</summary>
    public bool IsTruncated { get; set; }
}
