using Moat.Kernel.Vfs;
using Moat.Netstack.Sockets;

namespace Moat.Sockets.Inet;

/// <summary>Guest memory as the stack sends from it. Take <see cref="Buffer"/> back afterwards: it has moved on.</summary>
internal ref struct IoSource(IoBuffer buffer) : IByteSource
{
    /// <summary>What is left.</summary>
    public IoBuffer Buffer = buffer;

    /// <inheritdoc/>
    public readonly long Length => Buffer.Length;

    /// <inheritdoc/>
    public int CopyTo(Span<byte> destination) => Buffer.CopyTo(destination).TryGet(out int copied, out _) ? copied : 0;
}
