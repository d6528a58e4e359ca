namespace Moat.Netstack.Filter.Tracking;

/// <summary>How far a TCP connection is, as somebody between its ends sees it (TCP_CONNTRACK_*, with Linux's numbers).</summary>
public enum TcpTrackState : byte
{
    /// <summary>Nothing has been seen.</summary>
    None,

    /// <summary>A SYN.</summary>
    SynSent,

    /// <summary>Its answer.</summary>
    SynReceived,

    /// <summary>Data may flow.</summary>
    Established,

    /// <summary>One side has closed.</summary>
    FinWait,

    /// <summary>That has been acknowledged.</summary>
    CloseWait,

    /// <summary>The other side has closed too.</summary>
    LastAck,

    /// <summary>That has been acknowledged.</summary>
    TimeWait,

    /// <summary>It has been reset.</summary>
    Close,

    /// <summary>A SYN from either side.</summary>
    SynSent2,
}
