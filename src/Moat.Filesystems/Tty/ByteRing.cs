namespace Moat.Filesystems.Tty;

/// <summary>Bytes on their way through a terminal, at most so many. One thread at a time.</summary>
internal sealed class ByteRing(int capacity)
{
    private readonly byte[] _bytes = new byte[capacity];
    private int _start;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many more fit.</summary>
    public int Room => _bytes.Length - Count;

    /// <summary>Adds as many as fit.</summary>
    public int Add(ReadOnlySpan<byte> source)
    {
        int count = Math.Min(source.Length, Room);
        for (int i = 0; i < count; i++)
        {
            _bytes[(_start + Count + i) % _bytes.Length] = source[i];
        }

        Count += count;
        return count;
    }

    /// <summary>Takes as many as there are room for.</summary>
    public int Take(Span<byte> destination)
    {
        int count = Peek(destination);
        Skip(count);
        return count;
    }

    /// <summary>Copies the first ones and leaves them.</summary>
    public int Peek(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, Count);
        for (int i = 0; i < count; i++)
        {
            destination[i] = _bytes[(_start + i) % _bytes.Length];
        }

        return count;
    }

    /// <summary>Drops the first ones.</summary>
    public void Skip(int count)
    {
        _start = (_start + count) % _bytes.Length;
        Count -= count;
    }

    /// <summary>Drops all.</summary>
    public void Clear() => Skip(Count);
}
