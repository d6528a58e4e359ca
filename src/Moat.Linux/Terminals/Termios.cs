using System.Runtime.InteropServices;

namespace Moat.Linux.Terminals;

/// <summary>The settings of a terminal as the kernel passes them: <c>struct termios2</c>, 44 bytes, of which the first 36 are <c>struct termios</c> (ioctl_tty(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Termios
{
    /// <summary>Bytes of <c>struct termios</c>.</summary>
    public const int ShortSize = 36;

    /// <summary>Bytes of <c>struct termios2</c>.</summary>
    public const int Size = 44;

    private const int InputBaudShift = 16;

    private static readonly uint[] s_speeds =
    [
        0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
        0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
    ];

    private InputModes _input;
    private OutputModes _output;
    private ControlModes _control;
    private LocalModes _local;
    private byte _line;
    private ControlCharacters _characters;
    private uint _inputSpeed;
    private uint _outputSpeed;

    /// <summary><c>c_iflag</c>.</summary>
    public InputModes Input
    {
        readonly get => _input;
        set => _input = value;
    }

    /// <summary><c>c_oflag</c>.</summary>
    public OutputModes Output
    {
        readonly get => _output;
        set => _output = value;
    }

    /// <summary><c>c_cflag</c>.</summary>
    public ControlModes Control
    {
        readonly get => _control;
        set => _control = value;
    }

    /// <summary><c>c_lflag</c>.</summary>
    public LocalModes Local
    {
        readonly get => _local;
        set => _local = value;
    }

    /// <summary><c>c_line</c>: the line discipline.</summary>
    public byte Discipline
    {
        readonly get => _line;
        set => _line = value;
    }

    /// <summary>What a new pseudo-terminal's slave has.</summary>
    public static Termios Default
    {
        get
        {
            Termios termios = new()
            {
                _input = InputModes.ICRNL | InputModes.IXON,
                _output = OutputModes.OPOST | OutputModes.ONLCR,
                _control = ControlModes.B38400 | ControlModes.CS8 | ControlModes.CREAD,
                _local = LocalModes.ISIG | LocalModes.ICANON | LocalModes.ECHO | LocalModes.ECHOE | LocalModes.ECHOK | LocalModes.ECHOCTL | LocalModes.ECHOKE | LocalModes.IEXTEN,
                _inputSpeed = 38400,
                _outputSpeed = 38400,
            };
            ReadOnlySpan<byte> characters = [3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0xf, 0x17, 0x16, 0];
            characters.CopyTo(termios._characters);
            return termios;
        }
    }

    /// <summary>A control character.</summary>
    public byte this[ControlCharacter index]
    {
        readonly get => _characters[(int)index];
        set => _characters[(int)index] = value;
    }

    /// <summary>Whether an input mode is on.</summary>
    public readonly bool Has(InputModes mode) => (_input & mode) != 0;

    /// <summary>Whether an output mode is on.</summary>
    public readonly bool Has(OutputModes mode) => (_output & mode) != 0;

    /// <summary>Whether a local mode is on.</summary>
    public readonly bool Has(LocalModes mode) => (_local & mode) != 0;

    /// <summary>Whether a character is this control character, which 0 never is.</summary>
    public readonly bool Is(byte character, ControlCharacter index) => character == _characters[(int)index] && character != 0;

    /// <summary>Reads either structure; the speeds of the short one follow from <see cref="Control"/>.</summary>
    public static Termios Read(ReadOnlySpan<byte> bytes)
    {
        Termios termios = default;
        bytes.CopyTo(MemoryMarshal.AsBytes(new Span<Termios>(ref termios)));
        if (bytes.Length < Size || (termios._control & ControlModes.BaudMask) != ControlModes.BOTHER)
        {
            uint code = (uint)(termios._control & ControlModes.BaudMask);
            termios._outputSpeed = SpeedOf(code);
            uint inputCode = (uint)(termios._control & ControlModes.InputBaudMask) >> InputBaudShift;
            termios._inputSpeed = inputCode == 0 ? termios._outputSpeed : SpeedOf(inputCode);
        }

        return termios;
    }

    /// <summary>Writes as much of it as there is room for: <see cref="ShortSize"/> or <see cref="Size"/> bytes.</summary>
    public readonly void Write(Span<byte> bytes)
    {
        Termios copy = this;
        MemoryMarshal.AsBytes(new ReadOnlySpan<Termios>(in copy))[..bytes.Length].CopyTo(bytes);
    }

    private static uint SpeedOf(uint code) => s_speeds[(code & 0xf) | ((code >> 8) & 0x10)];
}
