namespace Moat.Netstack.Packets;

/// <summary>A piece of pooled memory that several packets and queues may point into. Counted; the last <see cref="Release"/> gives it back to its pool. Any thread.</summary>
public sealed class Chunk
{
    private readonly ChunkPool _pool;
    private int _references;

    internal Chunk(ChunkPool pool, int size)
    {
        _pool = pool;
        Bytes = GC.AllocateUninitializedArray<byte>(size, pinned: true);
    }

    /// <summary>The memory, which does not move: links give the host its address. What is in it when it comes from the pool is of no meaning and must not reach a guest.</summary>
    public byte[] Bytes { get; }

    /// <summary>Whether others than the caller have a reference.</summary>
    public bool IsShared => Volatile.Read(ref _references) > 1;

    /// <summary>Takes another reference; the caller holds one.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Gives a reference back.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            _pool.Return(this);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("a chunk was released once too often");
        }
    }

    internal void Revive() => Volatile.Write(ref _references, 1);
}
