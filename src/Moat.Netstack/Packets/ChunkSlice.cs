namespace Moat.Netstack.Packets;

/// <summary>A part of a chunk. It does not count a reference of its own: whoever stores one says who holds it.</summary>
/// <param name="Chunk">The chunk.</param>
/// <param name="Offset">Where the part begins.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct ChunkSlice(Chunk Chunk, int Offset, int Length)
{
    /// <summary>The bytes.</summary>
    public Span<byte> Span => Chunk.Bytes.AsSpan(Offset, Length);

    /// <summary>A part of the part.</summary>
    public ChunkSlice Slice(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start, (uint)Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(Length - start));
        return new ChunkSlice(Chunk, Offset + start, length);
    }
}
