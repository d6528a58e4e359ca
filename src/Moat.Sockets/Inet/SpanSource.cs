using Moat.Netstack.Sockets;

namespace Moat.Sockets.Inet;

/// <summary>Bytes of the kernel as the stack sends from them.</summary>
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
