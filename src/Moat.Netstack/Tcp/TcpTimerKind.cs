namespace Moat.Netstack.Tcp;

/// <summary>What a connection waits for, with the numbers that /proc/net/tcp shows.</summary>
public enum TcpTimerKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>To send again.</summary>
    Retransmit = 1,

    /// <summary>To see whether the peer is there, or for its FIN.</summary>
    KeepAlive = 2,

    /// <summary>To ask for the peer's window.</summary>
    WindowProbe = 4,
}
