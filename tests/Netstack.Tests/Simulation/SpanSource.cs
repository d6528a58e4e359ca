using Moat.Netstack.Sockets;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>Bytes to send.</summary>
internal ref struct SpanSource(ReadOnlySpan<byte> bytes) : IByteSource
{
    private ReadOnlySpan<byte> _left = bytes;

    /// <inheritdoc/>
    public readonly long Length => _left.Length;

    /// <inheritdoc/>
    public int CopyTo(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, _left.Length);
        _left[..count].CopyTo(destination);
        _left = _left[count..];
        return count;
    }
}
