namespace Moat.Filesystems.Tty;

/// <summary>The input half of a line discipline: what has been typed, and where its lines end. One thread at a time.</summary>
internal sealed class InputBuffer
{
    /// <summary>Bytes it holds: N_TTY_BUF_SIZE.</summary>
    public const int Capacity = 4096;

    private readonly byte[] _bytes = new byte[Capacity];
    private readonly bool[] _lineEnds = new bool[Capacity];
    private long _tail;
    private bool _endsAtSwitch; // the last "line" only ends because canonical mode was switched on

    /// <summary>Where the next byte goes.</summary>
    public long Head { get; private set; }

    /// <summary>Behind the last complete line.</summary>
    public long CanonicalHead { get; private set; }

    /// <summary>How many bytes there are, line ends by EOF included.</summary>
    public int Count => (int)(Head - _tail);

    /// <summary>Whether a complete line is there.</summary>
    public bool HasLine => CanonicalHead != _tail;

    /// <summary>The byte at a position between the tail and <see cref="Head"/>.</summary>
    public byte this[long position] => _bytes[position % Capacity];

    /// <summary>Adds a byte; the caller has seen to room.</summary>
    public void Add(byte character)
    {
        _lineEnds[Head % Capacity] = false;
        _bytes[Head++ % Capacity] = character;
    }

    /// <summary>Adds a byte that ends a line: 0 for an end of file, which is not read itself.</summary>
    public void AddLineEnd(byte character)
    {
        Add(character);
        _lineEnds[(Head - 1) % Capacity] = true;
        CanonicalHead = Head;
    }

    /// <summary>Takes back what was typed since a position.</summary>
    public void Truncate(long head) => Head = head;

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        _tail = CanonicalHead = Head;
        _endsAtSwitch = false;
    }

    /// <summary>Canonical mode is switched on or off: what is there becomes one line, or plain bytes.</summary>
    public void Switch(bool isCanonical)
    {
        Array.Clear(_lineEnds);
        if (isCanonical && Count > 0)
        {
            _lineEnds[(Head - 1) % Capacity] = true;
            CanonicalHead = Head;
            _endsAtSwitch = true;
        }
        else
        {
            CanonicalHead = _tail;
            _endsAtSwitch = false;
        }
    }

    /// <summary>Takes bytes without regard to lines.</summary>
    public int Take(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, Count);
        for (int i = 0; i < count; i++)
        {
            destination[i] = _bytes[_tail++ % Capacity];
        }

        CanonicalHead = Math.Max(CanonicalHead, _tail);
        return count;
    }

    /// <summary>Takes the first line, or as much of it as there is room for.</summary>
    /// <returns>The count: 0 for an end of file.</returns>
    public int TakeLine(Span<byte> destination)
    {
        int count = 0;
        while (HasLine)
        {
            bool ends = _lineEnds[_tail % Capacity];
            byte character = _bytes[_tail % Capacity];
            bool isEndOfFile = ends && character == 0 && !_endsAtSwitch;
            if (count == destination.Length && !isEndOfFile)
            {
                break;
            }

            _lineEnds[_tail++ % Capacity] = false;
            if (!isEndOfFile)
            {
                destination[count++] = character;
            }

            if (ends)
            {
                _endsAtSwitch = false;
                break;
            }
        }

        return count;
    }

    /// <summary>How many bytes of complete lines can be read.</summary>
    public int CountLines()
    {
        int count = 0;
        for (long i = _tail; i < CanonicalHead; i++)
        {
            count += _lineEnds[i % Capacity] && _bytes[i % Capacity] == 0 ? 0 : 1;
        }

        return count;
    }
}
