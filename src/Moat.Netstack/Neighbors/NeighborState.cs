namespace Moat.Netstack.Neighbors;

/// <summary>How much is known of a neighbour (RFC 4861 section 7.3.2, NUD_* with Linux's numbers).</summary>
public enum NeighborState : ushort
{
    /// <summary>It is being asked for.</summary>
    Incomplete = 0x01,

    /// <summary>It has been heard of lately.</summary>
    Reachable = 0x02,

    /// <summary>It may have moved: the next packet starts a check.</summary>
    Stale = 0x04,

    /// <summary>A packet has been sent to it: a check follows if nothing is heard.</summary>
    Delay = 0x08,

    /// <summary>It is being checked.</summary>
    Probe = 0x10,

    /// <summary>It did not answer.</summary>
    Failed = 0x20,

    /// <summary>An administrator said so.</summary>
    Permanent = 0x80,
}
