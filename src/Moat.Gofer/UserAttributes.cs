namespace Moat.Gofer;

/// <summary>Which extended attributes a Gofer serves: those of users. What the host's kernel goes by (security.*, trusted.*, system.*) neither leaves nor comes in.</summary>
internal static class UserAttributes
{
    /// <summary>Whether an attribute is one of them.</summary>
    public static bool Has(ReadOnlySpan<byte> name) => name.StartsWith("user."u8) && !name.Contains((byte)0);

    /// <summary>Those in a list of names, each ended by a zero byte.</summary>
    public static byte[] Only(ReadOnlySpan<byte> names)
    {
        byte[] kept = new byte[names.Length];
        int length = 0;
        while (names.IndexOf((byte)0) is >= 0 and int end)
        {
            if (Has(names[..end]))
            {
                names[..(end + 1)].CopyTo(kept.AsSpan(length));
                length += end + 1;
            }

            names = names[(end + 1)..];
        }

        return kept[..length];
    }
}
