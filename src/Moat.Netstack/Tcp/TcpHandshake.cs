using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>What a finished passive handshake has agreed on: from a request that was kept, or out of a SYN cookie.</summary>
internal readonly struct TcpHandshake
{
    /// <summary>ISS.</summary>
    public required SequenceNumber LocalInitial { get; init; }

    /// <summary>IRS.</summary>
    public required SequenceNumber RemoteInitial { get; init; }

    /// <summary>The options of the peer's SYN, as far as they are known.</summary>
    public required TcpOptions Options { get; init; }

    /// <summary>Its segment size.</summary>
    public required int PeerMss { get; init; }

    /// <summary>The window shift that was announced.</summary>
    public required int LocalWindowScale { get; init; }

    /// <summary>When the SYN-ACK was sent.</summary>
    public required long SentNs { get; init; }
}
