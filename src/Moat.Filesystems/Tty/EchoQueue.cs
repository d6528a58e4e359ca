namespace Moat.Filesystems.Tty;

/// <summary>What is still to be echoed. It holds a full line; beyond that the oldest goes unseen, as on Linux.</summary>
internal sealed class EchoQueue
{
    private const int Capacity = 4096;

    private readonly (EchoKind Kind, byte Value)[] _entries = new (EchoKind, byte)[Capacity];
    private int _start;
    private int _count;

    /// <summary>Adds an entry.</summary>
    public void Add(EchoKind kind, byte value = 0)
    {
        if (_count == Capacity)
        {
            Skip();
        }

        _entries[(_start + _count++) % Capacity] = (kind, value);
    }

    /// <summary>The first entry.</summary>
    public bool TryPeek(out EchoKind kind, out byte value)
    {
        (kind, value) = _entries[_start];
        return _count > 0;
    }

    /// <summary>Drops the first entry.</summary>
    public void Skip()
    {
        _start = (_start + 1) % Capacity;
        _count--;
    }

    /// <summary>Drops all.</summary>
    public void Clear() => _count = 0;
}
