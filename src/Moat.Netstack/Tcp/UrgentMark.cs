using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>SND.UP: where the urgent data that a connection sends ends (RFC 9293 section 3.8.5). Guarded by the connection's lock.</summary>
internal struct UrgentMark
{
    private SequenceNumber? _end;

    /// <summary>Whether there is urgent data that the peer has not acknowledged.</summary>
    public readonly bool IsSet => _end is not null;

    /// <summary>The data that ends here is urgent.</summary>
    public void Set(SequenceNumber end) => _end = end;

    /// <summary>The peer has everything before this.</summary>
    public void Acknowledge(SequenceNumber acknowledgment) => _end = _end <= acknowledgment ? null : _end;

    /// <summary>The urgent pointer of a segment that begins here; 0 for none.</summary>
    public readonly ushort PointerFrom(SequenceNumber sequence) => _end is { } end && end > sequence ? (ushort)Math.Min(end - sequence, ushort.MaxValue) : (ushort)0;
}
