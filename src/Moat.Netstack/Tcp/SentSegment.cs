using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>A run of bytes that was sent at one time and is not acknowledged.</summary>
internal struct SentSegment
{
    /// <summary>Its first sequence number.</summary>
    public SequenceNumber Start;

    /// <summary>The number behind its last: SYN and FIN count one.</summary>
    public SequenceNumber End;

    /// <summary>When it was sent last.</summary>
    public long SentNs;

    /// <summary>How many bytes had been delivered when it was sent, for rate samples.</summary>
    public long DeliveredBefore;

    /// <summary>Whether the peer has it (SACK).</summary>
    public bool IsSacked;

    /// <summary>Whether it is taken for lost and not sent again yet.</summary>
    public bool IsLost;

    /// <summary>Whether it was sent more than once.</summary>
    public bool IsRetransmitted;

    /// <summary>Whether its newest transmission is in flight.</summary>
    public readonly bool IsInFlight => !IsSacked && !IsLost;

    /// <summary>Sequence numbers it covers.</summary>
    public readonly int Length => End - Start;
}
