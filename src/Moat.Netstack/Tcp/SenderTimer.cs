namespace Moat.Netstack.Tcp;

/// <summary>What a sender's timer stands for.</summary>
internal enum SenderTimer
{
    /// <summary>Nothing is waited for.</summary>
    None,

    /// <summary>Nothing has been acknowledged for a retransmission time.</summary>
    Retransmit,

    /// <summary>The last segments may be lost without anything telling of it (RFC 8985 section 7).</summary>
    TailProbe,

    /// <summary>A segment may be out of order or lost (RFC 8985 section 6).</summary>
    Reorder,

    /// <summary>The peer's window is closed.</summary>
    Probe,
}
