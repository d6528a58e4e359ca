using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>Bytes as a line discipline sees them: ISO 8859-1, as the kernel's ctype has them, or UTF-8 where IUTF8 says so.</summary>
internal static class Characters
{
    /// <summary>Whether it is a control character.</summary>
    public static bool IsControl(byte character) => character is < 0x20 or 0x7f;

    /// <summary>Whether it belongs to a word for VWERASE.</summary>
    public static bool IsWord(byte character) =>
        character == (byte)'_' || char.IsAsciiLetterOrDigit((char)character) || (character >= 0xc0 && character is not (0xd7 or 0xf7));

    /// <summary>Whether it goes on with a character of UTF-8 that has begun.</summary>
    public static bool IsContinuation(in Termios termios, byte character) => termios.Has(InputModes.IUTF8) && (character & 0xc0) == 0x80;

    /// <summary>The capital letter.</summary>
    public static byte ToUpper(byte character) => IsSmall(character) ? (byte)(character - 0x20) : character;

    /// <summary>The small letter.</summary>
    public static byte ToLower(byte character) =>
        character is (>= (byte)'A' and <= (byte)'Z') or (>= 0xc0 and <= 0xde and not 0xd7) ? (byte)(character + 0x20) : character;

    private static bool IsSmall(byte character) => character is (>= (byte)'a' and <= (byte)'z') or (>= 0xe0 and <= 0xfe and not 0xf7);
}
