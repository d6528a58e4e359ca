namespace Moat.Linux.Terminals;

/// <summary><c>c_oflag</c> (termios(3)).</summary>
[Flags]
public enum OutputModes : uint
{
    None = 0,
    OPOST = 0x1,
    OLCUC = 0x2,
    ONLCR = 0x4,
    OCRNL = 0x8,
    ONOCR = 0x10,
    ONLRET = 0x20,

    /// <summary>TABDLY: what is done with tabs.</summary>
    TabDelay = 0x1800,

    /// <summary>Tabs become spaces: the one value of <see cref="TabDelay"/> with an effect.</summary>
    XTABS = 0x1800,
}
