using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The parsed header of a segment that came in.</summary>
internal readonly struct TcpSegment
{
    /// <summary>The header.</summary>
    public required TcpHeader Header { get; init; }

    /// <summary>Its options.</summary>
    public required TcpOptions Options { get; init; }

    /// <summary>Bytes of data.</summary>
    public required int PayloadLength { get; init; }

    /// <summary>SEG.SEQ.</summary>
    public SequenceNumber Start => Header.Sequence;

    /// <summary>SEG.SEQ + SEG.LEN: SYN and FIN count one.</summary>
    public SequenceNumber End => Header.Sequence + PayloadLength + (Has(TcpFlags.SYN) ? 1 : 0) + (Has(TcpFlags.FIN) ? 1 : 0);

    /// <summary>What it is once a filter has cut its packet to a length, header included.</summary>
    public TcpSegment CutTo(int length) => length == Header.HeaderLength + PayloadLength ? this : this with { PayloadLength = length - Header.HeaderLength };

    /// <summary>Whether a control bit is set.</summary>
    public bool Has(TcpFlags flag) => (Header.Flags & flag) != 0;
}
