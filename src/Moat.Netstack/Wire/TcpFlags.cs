namespace Moat.Netstack.Wire;

/// <summary>The control bits of a TCP header (RFC 9293 section 3.1).</summary>
[Flags]
public enum TcpFlags : byte
{
    /// <summary>No more data from the sender.</summary>
    FIN = 1,

    /// <summary>Synchronise sequence numbers.</summary>
    SYN = 2,

    /// <summary>Reset the connection.</summary>
    RST = 4,

    /// <summary>Push.</summary>
    PSH = 8,

    /// <summary>The acknowledgment field counts.</summary>
    ACK = 16,

    /// <summary>The urgent pointer counts.</summary>
    URG = 32,

    /// <summary>ECN echo.</summary>
    ECE = 64,

    /// <summary>Congestion window reduced.</summary>
    CWR = 128,
}
