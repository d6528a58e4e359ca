namespace Moat.Linux.Terminals;

/// <summary><c>c_cflag</c> (termios(3)).</summary>
[Flags]
public enum ControlModes : uint
{
    None = 0,

    /// <summary>CBAUD: the speed, as a code.</summary>
    BaudMask = 0x100f,

    B38400 = 0xf,

    /// <summary>The speed is in <c>c_ospeed</c>.</summary>
    BOTHER = 0x1000,

    /// <summary>CSIZE: bits in a character.</summary>
    SizeMask = 0x30,

    CS8 = 0x30,
    CREAD = 0x80,
    PARENB = 0x100,
    HUPCL = 0x400,
    CLOCAL = 0x800,

    /// <summary>CIBAUD: the input speed, as a code; 0 for that of the output.</summary>
    InputBaudMask = 0x100f0000,
}
