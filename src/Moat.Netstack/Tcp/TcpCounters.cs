namespace Moat.Netstack.Tcp;

/// <summary>What a connection has counted, for TCP_INFO (RFC 4898 has most of the names). Guarded by the connection's lock.</summary>
public struct TcpCounters
{
    /// <summary>Segments received.</summary>
    public long SegmentsIn;

    /// <summary>Segments sent.</summary>
    public long SegmentsOut;

    /// <summary>Segments with data received.</summary>
    public long DataSegmentsIn;

    /// <summary>Segments with data sent.</summary>
    public long DataSegmentsOut;

    /// <summary>Payload received in order.</summary>
    public long BytesReceived;

    /// <summary>Payload acknowledged by the peer.</summary>
    public long BytesAcknowledged;

    /// <summary>Payload sent, with what was sent again.</summary>
    public long BytesSent;

    /// <summary>Payload sent again.</summary>
    public long BytesRetransmitted;

    /// <summary>Times that the retransmission timer ran out, of SYN and in a row too (tcpi_total_rto).</summary>
    public int Timeouts;

    /// <summary>Recoveries that such a timeout began (tcpi_total_rto_recoveries).</summary>
    public int TimeoutRecoveries;
}
