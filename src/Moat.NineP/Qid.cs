using Moat.Linux;

namespace Moat.NineP;

/// <summary>A server's identification of a file: 13 bytes.</summary>
/// <param name="Type">QTDIR (0x80), QTSYMLINK (0x02) or QTFILE (0).</param>
/// <param name="Version">Changes with the file where the server knows.</param>
/// <param name="Path">The same for all names of a file, different for different files.</param>
public readonly record struct Qid(byte Type, uint Version, ulong Path)
{
    private const byte Directory = 0x80;
    private const byte Symlink = 0x02;

    /// <summary>The type that goes with a mode.</summary>
    public static byte TypeOf(Mode mode) => (mode & Mode.S_IFMT) switch { Mode.S_IFDIR => Directory, Mode.S_IFLNK => Symlink, _ => 0 };
}
