namespace Moat.Netstack.Wire;

/// <summary>ICMP types for IPv6 (RFC 4443, RFC 4861, RFC 3810).</summary>
public static class IcmpV6Type
{
    /// <summary>The packet could not be delivered.</summary>
    public const byte DestinationUnreachable = 1;

    /// <summary>The packet is larger than a link's MTU.</summary>
    public const byte PacketTooBig = 2;

    /// <summary>The hop limit ran out, or a fragment did not come.</summary>
    public const byte TimeExceeded = 3;

    /// <summary>A header makes no sense.</summary>
    public const byte ParameterProblem = 4;

    /// <summary>Asks for an echo.</summary>
    public const byte EchoRequest = 128;

    /// <summary>Answers an echo.</summary>
    public const byte EchoReply = 129;

    /// <summary>Asks who listens to groups.</summary>
    public const byte MulticastListenerQuery = 130;

    /// <summary>MLDv1: a group is listened to.</summary>
    public const byte MulticastListenerReport = 131;

    /// <summary>MLDv1: a group is left.</summary>
    public const byte MulticastListenerDone = 132;

    /// <summary>Asks for routers.</summary>
    public const byte RouterSolicitation = 133;

    /// <summary>A router says what it does.</summary>
    public const byte RouterAdvertisement = 134;

    /// <summary>Asks for a neighbour.</summary>
    public const byte NeighborSolicitation = 135;

    /// <summary>A neighbour says where it is.</summary>
    public const byte NeighborAdvertisement = 136;

    /// <summary>A better router.</summary>
    public const byte Redirect = 137;

    /// <summary>Which groups are listened to.</summary>
    public const byte MulticastListenerReportV2 = 143;
}
