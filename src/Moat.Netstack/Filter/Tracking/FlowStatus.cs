namespace Moat.Netstack.Filter.Tracking;

/// <summary>What is known of a connection (IPS_*, linux/netfilter/nf_conntrack_common.h).</summary>
[Flags]
public enum FlowStatus
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Packets have been seen both ways.</summary>
    SeenReply = 1 << 1,

    /// <summary>It is not given up to make room.</summary>
    Assured = 1 << 2,

    /// <summary>Its first packet has got through.</summary>
    Confirmed = 1 << 3,

    /// <summary>The source of packets of its original direction is changed.</summary>
    SourceNat = 1 << 4,

    /// <summary>Their destination is changed.</summary>
    DestinationNat = 1 << 5,

    /// <summary>Whether the source is changed has been decided.</summary>
    SourceNatDone = 1 << 7,

    /// <summary>Whether the destination is changed has been decided.</summary>
    DestinationNatDone = 1 << 8,

    /// <summary>It has been taken out of the table.</summary>
    Dying = 1 << 9,
}
