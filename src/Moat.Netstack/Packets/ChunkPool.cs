namespace Moat.Netstack.Packets;

/// <summary>Chunks of one size that are free. It keeps a bounded number; more are left to the collector. Any thread.</summary>
public sealed class ChunkPool(int chunkSize, int maxFree)
{
    private readonly Lock _lock = new();
    private readonly Chunk?[] _free = new Chunk?[maxFree]; // guarded by _lock
    private int _count; // guarded by _lock
    private int _rented; // guarded by _lock

    /// <summary>Chunks that somebody holds: none once everything is closed.</summary>
    public int Rented
    {
        get
        {
            lock (_lock)
            {
                return _rented;
            }
        }
    }

    /// <summary>What they take; as it was a moment ago.</summary>
    public long HeldBytes => (long)Volatile.Read(ref _rented) * chunkSize;

    /// <summary>Bytes of each chunk.</summary>
    public int ChunkSize => chunkSize;

    /// <summary>A chunk with one reference, the caller's.</summary>
    public Chunk Rent()
    {
        Chunk? chunk = null;
        lock (_lock)
        {
            _rented++;
            if (_count > 0)
            {
                chunk = _free[--_count];
                _free[_count] = null;
            }
        }

        chunk ??= new Chunk(this, chunkSize);
        chunk.Revive();
        return chunk;
    }

    internal void Return(Chunk chunk)
    {
        lock (_lock)
        {
            _rented--;
            if (_count < _free.Length)
            {
                _free[_count++] = chunk;
            }
        }
    }
}
