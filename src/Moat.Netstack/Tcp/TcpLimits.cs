namespace Moat.Netstack.Tcp;

/// <summary>The numbers that tune TCP, with the names of tcp(7) where it has them. Times in nanoseconds.</summary>
public static class TcpLimits
{
    /// <summary>Shortest retransmission time (TCP_RTO_MIN).</summary>
    public const long MinRtoNs = 200_000_000;

    /// <summary>Longest retransmission time (TCP_RTO_MAX).</summary>
    public const long MaxRtoNs = 120_000_000_000;

    /// <summary>Retransmission time before the first measurement (RFC 6298 section 2).</summary>
    public const long InitialRtoNs = 1_000_000_000;

    /// <summary>How long an acknowledgment is put off at most (TCP_DELACK_MAX).</summary>
    public const long DelayedAckNs = 40_000_000;

    /// <summary>How long a connection stays in TIME_WAIT (TCP_TIMEWAIT_LEN), and an orphan in FIN_WAIT2 (tcp_fin_timeout).</summary>
    public const long TimeWaitNs = 60_000_000_000;

    /// <summary>How long a partial segment is held for TCP_CORK.</summary>
    public const long CorkNs = 200_000_000;

    /// <summary>SYN retransmissions before a connection attempt fails (tcp_syn_retries).</summary>
    public const int SynRetries = 6;

    /// <summary>SYN retransmissions that come at the same distance, beside those that back off (tcp_syn_linear_timeouts).</summary>
    public const int SynLinearTimeouts = 4;

    /// <summary>SYN-ACK retransmissions (tcp_synack_retries).</summary>
    public const int SynAckRetries = 5;

    /// <summary>Data retransmissions before a connection is given up (tcp_retries2).</summary>
    public const int Retries = 15;

    /// <summary>Retransmissions of a connection without a socket (tcp_orphan_retries).</summary>
    public const int OrphanRetries = 8;

    /// <summary>Segments sent before the first acknowledgment (RFC 6928).</summary>
    public const int InitialWindowSegments = 10;

    /// <summary>The segment size assumed of a peer that says none (RFC 9293 section 3.7.1).</summary>
    public const int DefaultMss = 536;

    /// <summary>Smaller segment sizes are not taken from a peer: a tiny one would turn every write into a flood (tcp_min_snd_mss).</summary>
    public const int MinMss = 48;

    /// <summary>The send buffer at first and at most (tcp_wmem).</summary>
    public const int DefaultSendBuffer = 87040;

    /// <summary>The largest send buffer that grows by itself.</summary>
    public const int MaxSendBuffer = 4 << 20;

    /// <summary>The receive buffer at first (tcp_rmem).</summary>
    public const int DefaultReceiveBuffer = 131072;

    /// <summary>The largest receive buffer that grows by itself.</summary>
    public const int MaxReceiveBuffer = 6 << 20;
}
