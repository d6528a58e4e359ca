using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>The line discipline N_TTY (termios(3)): turns what is typed into lines, signals and echo, and what is written into what is shown. One thread at a time.</summary>
internal sealed class LineDiscipline
{
    private const byte Delete = 0xff; // marked by PARMRK as \377 \377

    private readonly InputBuffer _input = new();
    private readonly TerminalOutput _output = new();
    private readonly LineEditor _editor;
    private Termios _termios = Termios.Default;
    private bool _isNextLiteral;
    private bool _isStoppedByCall; // TCOOFF, which no character undoes

    /// <summary>Makes one with the settings of a new terminal.</summary>
    public LineDiscipline() => _editor = new LineEditor(_input, _output);

    /// <summary>The settings.</summary>
    public Termios Termios => _termios;

    /// <summary>What goes to the other side.</summary>
    public TerminalOutput Output => _output;

    /// <summary>Whether input is dropped by the signals that characters raise; told to a master in packet mode.</summary>
    public bool HasFlushed { get; set; }

    private bool IsCanonical => _termios.Has(LocalModes.ICANON);

    /// <summary>How many bytes FIONREAD tells.</summary>
    public int BytesReadable => IsCanonical && !_termios.Has(LocalModes.EXTPROC) ? _input.CountLines() : _input.Count;

    /// <summary>Whether a read gets something: a line, or at least so many bytes.</summary>
    /// <param name="minimum">What a read without lines waits for.</param>
    public bool HasInput(int minimum) => IsCanonical && !_termios.Has(LocalModes.EXTPROC) ? _input.HasLine : _input.Count >= minimum;

    /// <summary>Reads: a line at most in canonical mode.</summary>
    /// <returns>The count; 0 for an end of file.</returns>
    public int Read(Span<byte> destination) => IsCanonical && !_termios.Has(LocalModes.EXTPROC) ? _input.TakeLine(destination) : _input.Take(destination);

    /// <summary>Writes what a program wrote, as far as it fits.</summary>
    public int Write(ReadOnlySpan<byte> source) => _output.Write(_termios, source);

    /// <summary>Takes in what was typed, as far as there is room.</summary>
    /// <param name="typed">The bytes.</param>
    /// <param name="raised">Gets the signals for the foreground group.</param>
    /// <returns>How many bytes were used.</returns>
    public int Receive(ReadOnlySpan<byte> typed, ref SignalSet raised)
    {
        int done = 0;
        while (done < typed.Length && MakeRoom())
        {
            ReceiveOne(typed[done++], ref raised);
        }

        _output.ProcessEchoes(_termios);
        return done;
    }

    /// <summary>Changes the settings.</summary>
    public void Set(in Termios termios)
    {
        Termios old = _termios;
        _termios = termios;
        const LocalModes Reading = LocalModes.ICANON | LocalModes.EXTPROC;
        if (((old.Local ^ termios.Local) & Reading) != 0)
        {
            _input.Switch(IsCanonical);
            _editor.Reset();
            _isNextLiteral = false;
        }

        if (old.Has(InputModes.IXON) && !termios.Has(InputModes.IXON))
        {
            Start();
        }
    }

    /// <summary>Drops input (TCIFLUSH).</summary>
    public void FlushInput()
    {
        _input.Clear();
        _editor.Reset();
    }

    /// <summary>TCOOFF, TCOON.</summary>
    public void HoldOutput(bool isHeld)
    {
        _isStoppedByCall = isHeld;
        _output.IsStopped = isHeld;
        _output.ProcessEchoes(_termios);
    }

    // In canonical mode a line that is too long is taken on, without its last characters, so that its end can come.
    private bool MakeRoom()
    {
        int room = InputBuffer.Capacity - 1 - _input.Count;
        if (room > 0)
        {
            return true;
        }

        if (!IsCanonical || _input.HasLine)
        {
            return false;
        }

        if (room < 0)
        {
            _input.Truncate(_input.Head - 1);
        }

        return true;
    }

    private void ReceiveOne(byte character, ref SignalSet raised)
    {
        character = _termios.Has(InputModes.ISTRIP) ? (byte)(character & 0x7f) : character;
        character = _termios.Has(InputModes.IUCLC) && _termios.Has(LocalModes.IEXTEN) ? Characters.ToLower(character) : character;
        if (_termios.Has(LocalModes.EXTPROC))
        {
            _input.Add(character);
            return;
        }

        if (_isNextLiteral)
        {
            _isNextLiteral = false;
            AddOrdinary(character);
            return;
        }

        if (IsFlowControl(character) || IsSignal(character, ref raised))
        {
            return;
        }

        ResumeByAny();
        if (character == '\r')
        {
            if (_termios.Has(InputModes.IGNCR))
            {
                return;
            }

            character = _termios.Has(InputModes.ICRNL) ? (byte)'\n' : character;
        }
        else if (character == '\n' && _termios.Has(InputModes.INLCR))
        {
            character = (byte)'\r';
        }

        if (IsCanonical && EditOrEnd(character))
        {
            return;
        }

        if (character == '\n' && _termios.Has(LocalModes.ECHO))
        {
            _editor.FinishErasing();
            _output.Echoes.Add(EchoKind.Character, character);
            _input.Add(character);
            return;
        }

        AddOrdinary(character);
    }

    private void AddOrdinary(byte character)
    {
        ResumeByAny();
        if (_termios.Has(LocalModes.ECHO))
        {
            _editor.FinishErasing();
            _editor.EchoTyped(_termios, character);
        }

        if (character == Delete && _termios.Has(InputModes.PARMRK))
        {
            _input.Add(character);
        }

        _input.Add(character);
    }

    private bool IsFlowControl(byte character)
    {
        if (!_termios.Has(InputModes.IXON))
        {
            return false;
        }

        if (_termios.Is(character, ControlCharacter.VSTART))
        {
            Start();
            return true;
        }

        if (_termios.Is(character, ControlCharacter.VSTOP))
        {
            _output.IsStopped = true;
            return true;
        }

        return false;
    }

    private bool IsSignal(byte character, ref SignalSet raised)
    {
        if (!_termios.Has(LocalModes.ISIG))
        {
            return false;
        }

        Signal signal = _termios.Is(character, ControlCharacter.VINTR) ? Signal.SIGINT
            : _termios.Is(character, ControlCharacter.VQUIT) ? Signal.SIGQUIT
            : _termios.Is(character, ControlCharacter.VSUSP) ? Signal.SIGTSTP
            : Signal.None;
        if (signal == Signal.None)
        {
            return false;
        }

        raised |= SignalSet.Of(signal);
        if (!_termios.Has(LocalModes.NOFLSH))
        {
            _output.Echoes.Clear();
            _output.Clear();
            FlushInput();
            HasFlushed = true;
        }

        if (_termios.Has(InputModes.IXON))
        {
            Start();
        }

        if (_termios.Has(LocalModes.ECHO))
        {
            _editor.EchoCharacter(_termios, character);
        }

        return true;
    }

    // What canonical mode does with a character that is not an ordinary one; true if that was it.
    private bool EditOrEnd(byte character)
    {
        bool isExtended = _termios.Has(LocalModes.IEXTEN);
        if (_termios.Is(character, ControlCharacter.VERASE) || _termios.Is(character, ControlCharacter.VKILL) || (isExtended && _termios.Is(character, ControlCharacter.VWERASE)))
        {
            _editor.Erase(_termios, character);
            return true;
        }

        if (isExtended && _termios.Is(character, ControlCharacter.VLNEXT))
        {
            _isNextLiteral = true;
            if (_termios.Has(LocalModes.ECHO))
            {
                _editor.FinishErasing();
                if (_termios.Has(LocalModes.ECHOCTL))
                {
                    _editor.EchoRaw("^\b"u8);
                }
            }

            return true;
        }

        if (isExtended && _termios.Has(LocalModes.ECHO) && _termios.Is(character, ControlCharacter.VREPRINT))
        {
            _editor.Reprint(_termios, character);
            return true;
        }

        if (character == '\n')
        {
            if (_termios.Has(LocalModes.ECHO | LocalModes.ECHONL))
            {
                _editor.EchoRaw("\n"u8);
            }

            _input.AddLineEnd(character);
            return true;
        }

        if (_termios.Is(character, ControlCharacter.VEOF))
        {
            _input.AddLineEnd(0);
            return true;
        }

        if (_termios.Is(character, ControlCharacter.VEOL) || (isExtended && _termios.Is(character, ControlCharacter.VEOL2)))
        {
            if (_termios.Has(LocalModes.ECHO))
            {
                _editor.EchoTyped(_termios, character);
            }

            if (character == Delete && _termios.Has(InputModes.PARMRK))
            {
                _input.Add(character);
            }

            _input.AddLineEnd(character);
            return true;
        }

        return false;
    }

    private void ResumeByAny()
    {
        if (_output.IsStopped && _termios.Has(InputModes.IXON) && _termios.Has(InputModes.IXANY))
        {
            Start();
        }
    }

    private void Start()
    {
        if (!_isStoppedByCall)
        {
            _output.IsStopped = false;
            _output.ProcessEchoes(_termios);
        }
    }
}
