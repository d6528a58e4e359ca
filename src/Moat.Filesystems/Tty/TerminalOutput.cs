using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>The output half of a line discipline: what programs write and what is echoed, on its way to whoever shows it. One thread at a time.</summary>
internal sealed class TerminalOutput
{
    /// <summary>How many bytes wait for the other side at most: what Linux holds in a tty buffer and the master's discipline.</summary>
    public const int Capacity = 12288;

    private const int TabWidth = 8;
    private const byte Caret = (byte)'^';
    private const byte ControlBit = 0x40;

    private readonly ByteRing _queue = new(Capacity);
    private readonly EchoQueue _echoes = new();
    private int _column;
    private int _canonicalColumn; // where the line being typed began

    /// <summary>How many bytes wait.</summary>
    public int Count => _queue.Count;

    /// <summary>Whether XOFF or TCOOFF holds it: nothing is written or echoed.</summary>
    public bool IsStopped { get; set; }

    /// <summary>How many more bytes fit.</summary>
    public int Room => IsStopped ? 0 : _queue.Room;

    /// <summary>What to echo, in order; it goes out with <see cref="ProcessEchoes"/>.</summary>
    public EchoQueue Echoes => _echoes;

    /// <summary>Takes bytes for the other side.</summary>
    public int Take(Span<byte> destination) => _queue.Take(destination);

    /// <summary>Writes as much as fits.</summary>
    /// <returns>How many bytes of <paramref name="source"/> were used.</returns>
    public int Write(in Termios termios, ReadOnlySpan<byte> source)
    {
        ProcessEchoes(termios);
        if (IsStopped)
        {
            return 0;
        }

        if (!termios.Has(OutputModes.OPOST))
        {
            return _queue.Add(source);
        }

        int done = 0;
        while (done < source.Length && TryPut(termios, source[done]))
        {
            done++;
        }

        return done;
    }

    /// <summary>Writes a flow-control character past everything that waits (TCIOFF, TCION).</summary>
    public void WriteRaw(byte character) => _queue.Add([character]);

    /// <summary>Echoes what is due, as far as it fits.</summary>
    public void ProcessEchoes(in Termios termios)
    {
        while (!IsStopped && _echoes.TryPeek(out EchoKind kind, out byte value))
        {
            if (!TryEcho(termios, kind, value))
            {
                return;
            }

            _echoes.Skip();
        }
    }

    /// <summary>Drops what waits.</summary>
    public void Clear() => _queue.Clear();

    private bool TryEcho(in Termios termios, EchoKind kind, byte value)
    {
        switch (kind)
        {
            case EchoKind.Control:
                if (_queue.Room < 2)
                {
                    return false;
                }

                _queue.Add([Caret, (byte)(value ^ ControlBit)]);
                _column += 2;
                return true;
            case EchoKind.SetCanonicalColumn:
                _canonicalColumn = _column;
                return true;
            case EchoKind.MoveBack:
                _column = Math.Max(0, _column - 1);
                return true;
            case EchoKind.EraseTab or EchoKind.EraseTabAfterTab:
                // The tab's width is known only here, where the column is.
                int before = value + (kind == EchoKind.EraseTab ? _canonicalColumn : 0);
                int width = TabWidth - (before % TabWidth);
                if (_queue.Room < width)
                {
                    return false;
                }

                for (int i = 0; i < width; i++)
                {
                    _queue.Add("\b"u8);
                }

                _column = Math.Max(0, _column - width);
                return true;
            default:
                return termios.Has(OutputModes.OPOST) ? TryPut(termios, value) : _queue.Add([value]) == 1;
        }
    }

    // One character through output processing; false if there is no room for what it becomes.
    private bool TryPut(in Termios termios, byte character)
    {
        int room = _queue.Room;
        switch (character)
        {
            case (byte)'\n':
                if (termios.Has(OutputModes.ONLRET))
                {
                    _column = 0;
                }

                if (termios.Has(OutputModes.ONLCR))
                {
                    if (room < 2)
                    {
                        return false;
                    }

                    _canonicalColumn = _column = 0;
                    _queue.Add("\r\n"u8);
                    return true;
                }

                _canonicalColumn = _column;
                break;
            case (byte)'\r':
                if (termios.Has(OutputModes.ONOCR) && _column == 0)
                {
                    return true;
                }

                if (termios.Has(OutputModes.OCRNL))
                {
                    character = (byte)'\n';
                    _canonicalColumn = _column = termios.Has(OutputModes.ONLRET) ? 0 : _column;
                    break;
                }

                _canonicalColumn = _column = 0;
                break;
            case (byte)'\t':
                int spaces = TabWidth - (_column % TabWidth);
                if ((termios.Output & OutputModes.TabDelay) == OutputModes.XTABS)
                {
                    if (room < spaces)
                    {
                        return false;
                    }

                    _column += spaces;
                    _queue.Add("        "u8[..spaces]);
                    return true;
                }

                _column += room > 0 ? spaces : 0;
                break;
            case (byte)'\b':
                _column = Math.Max(0, _column - 1);
                break;
            default:
                if (!Characters.IsControl(character))
                {
                    character = termios.Has(OutputModes.OLCUC) ? Characters.ToUpper(character) : character;
                    _column += room > 0 && !Characters.IsContinuation(termios, character) ? 1 : 0;
                }

                break;
        }

        return _queue.Add([character]) == 1;
    }
}
