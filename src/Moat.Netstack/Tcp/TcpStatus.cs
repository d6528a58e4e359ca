namespace Moat.Netstack.Tcp;

/// <summary>What TCP_INFO and ss(8) show of a connection.</summary>
public readonly struct TcpStatus
{
    /// <summary>The state.</summary>
    public required TcpState State { get; init; }

    /// <summary>tcpi_ca_state: 0 open, 3 recovery, 4 loss.</summary>
    public byte Recovery { get; init; }

    /// <summary>Retransmission timeouts in a row.</summary>
    public int Timeouts { get; init; }

    /// <summary>Timestamps are in use.</summary>
    public bool UsesTimestamps { get; init; }

    /// <summary>Selective acknowledgments are in use.</summary>
    public bool UsesSack { get; init; }

    /// <summary>Windows are scaled.</summary>
    public bool UsesWindowScale { get; init; }

    /// <summary>The shift of the peer's windows.</summary>
    public int SendWindowScale { get; init; }

    /// <summary>The shift of this side's windows.</summary>
    public int ReceiveWindowScale { get; init; }

    /// <summary>The retransmission time.</summary>
    public long RetransmissionTimeNs { get; init; }

    /// <summary>Payload of a full segment sent.</summary>
    public int SendMss { get; init; }

    /// <summary>Payload of the fullest segment received.</summary>
    public int ReceiveMss { get; init; }

    /// <summary>Bytes sent and not acknowledged.</summary>
    public int UnacknowledgedBytes { get; init; }

    /// <summary>Bytes that the peer has out of order.</summary>
    public int SackedBytes { get; init; }

    /// <summary>Bytes taken for lost.</summary>
    public int LostBytes { get; init; }

    /// <summary>The largest IP packet the path carries.</summary>
    public int PathMtu { get; init; }

    /// <summary>The smoothed round trip.</summary>
    public long RoundTripNs { get; init; }

    /// <summary>Its variation.</summary>
    public long RoundTripVariationNs { get; init; }

    /// <summary>Where slow start ends: bytes.</summary>
    public int SlowStartThreshold { get; init; }

    /// <summary>The congestion window: bytes.</summary>
    public int CongestionWindow { get; init; }

    /// <summary>Segments sent more than once.</summary>
    public long Retransmissions { get; init; }

    /// <summary>What it waits for.</summary>
    public TcpTimerKind Timer { get; init; }

    /// <summary>How long it still waits.</summary>
    public long TimerLeftNs { get; init; }

    /// <summary>Bytes queued and not sent yet.</summary>
    public long UnsentBytes { get; init; }

    /// <summary>The shortest round trip.</summary>
    public long MinRoundTripNs { get; init; }

    /// <summary>What the peer takes.</summary>
    public int SendWindow { get; init; }

    /// <summary>What this side takes.</summary>
    public int ReceiveWindow { get; init; }

    /// <summary>Since data was sent last.</summary>
    public long SinceSentNs { get; init; }

    /// <summary>Since anything was received last.</summary>
    public long SinceReceivedNs { get; init; }

    /// <summary>What has been counted.</summary>
    public TcpCounters Counts { get; init; }
}
