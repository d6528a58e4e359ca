namespace Moat.Netstack.Wire;

/// <summary>Types of IGMP (RFC 2236, RFC 3376).</summary>
internal static class IgmpType
{
    /// <summary>Asks who listens.</summary>
    public const byte Query = 0x11;

    /// <summary>IGMPv1: a group is listened to.</summary>
    public const byte ReportV1 = 0x12;

    /// <summary>IGMPv2: a group is listened to.</summary>
    public const byte ReportV2 = 0x16;

    /// <summary>IGMPv2: a group is left.</summary>
    public const byte Leave = 0x17;

    /// <summary>IGMPv3: what is listened to.</summary>
    public const byte ReportV3 = 0x22;
}
