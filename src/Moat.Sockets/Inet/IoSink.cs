using Moat.Kernel.Vfs;
using Moat.Netstack.Sockets;

namespace Moat.Sockets.Inet;

/// <summary>Guest memory as the stack receives into it. Take <see cref="Buffer"/> back afterwards: it has moved on.</summary>
internal ref struct IoSink(IoBuffer buffer) : IByteSink
{
    /// <summary>What is left.</summary>
    public IoBuffer Buffer = buffer;

    /// <inheritdoc/>
    public readonly long Length => Buffer.Length;

    /// <inheritdoc/>
    public int CopyFrom(ReadOnlySpan<byte> source) => Buffer.CopyFrom(source).TryGet(out int copied, out _) ? copied : 0;
}
