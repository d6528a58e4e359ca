using Moat.Netstack.Sockets;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>Room to receive into.</summary>
internal ref struct SpanSink(Span<byte> bytes) : IByteSink
{
    private Span<byte> _left = bytes;

    /// <inheritdoc/>
    public readonly long Length => _left.Length;

    /// <inheritdoc/>
    public int CopyFrom(ReadOnlySpan<byte> source)
    {
        int count = Math.Min(source.Length, _left.Length);
        source[..count].CopyTo(_left);
        _left = _left[count..];
        return count;
    }
}
