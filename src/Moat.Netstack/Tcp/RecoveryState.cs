namespace Moat.Netstack.Tcp;

/// <summary>How a sender stands to loss, with the numbers of TCP_INFO's tcpi_ca_state.</summary>
internal enum RecoveryState : byte
{
    /// <summary>Nothing is lost.</summary>
    Open = 0,

    /// <summary>Lost segments are being sent again while acknowledgments come in.</summary>
    Fast = 3,

    /// <summary>The retransmission timer ran out.</summary>
    Loss = 4,
}
