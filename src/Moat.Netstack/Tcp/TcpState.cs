namespace Moat.Netstack.Tcp;

/// <summary>The states of RFC 9293 section 3.3.2, with the numbers that TCP_INFO and /proc/net/tcp show.</summary>
public enum TcpState : byte
{
    /// <summary>Both sides can send.</summary>
    Established = 1,

    /// <summary>A SYN has been sent.</summary>
    SynSent = 2,

    /// <summary>A SYN has been answered.</summary>
    SynReceived = 3,

    /// <summary>This side has sent FIN.</summary>
    FinWait1 = 4,

    /// <summary>And it has been acknowledged.</summary>
    FinWait2 = 5,

    /// <summary>Both have sent FIN and old segments may still come.</summary>
    TimeWait = 6,

    /// <summary>There is no connection.</summary>
    Closed = 7,

    /// <summary>The peer has sent FIN.</summary>
    CloseWait = 8,

    /// <summary>And so has this side, and waits for the acknowledgment.</summary>
    LastAck = 9,

    /// <summary>Connections are being accepted.</summary>
    Listen = 10,

    /// <summary>Both have sent FIN at once.</summary>
    Closing = 11,
}
