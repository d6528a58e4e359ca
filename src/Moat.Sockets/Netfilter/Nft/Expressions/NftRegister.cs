using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary>The numbers of registers: one for the verdict, four of 16 bytes, and the same memory as sixteen of 4 (enum nft_registers).</summary>
internal static class NftRegister
{
    /// <summary>NFT_REG_VERDICT.</summary>
    public const uint Verdict = 0;

    private const int WordsOfLarge = 4;
    private const uint LastLarge = 4;
    private const uint FirstSmall = 8;
    private const int WordLength = 4;

    /// <summary>Reads a register's number that an expression needs.</summary>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="type">Which holds the number.</param>
    /// <param name="length">Bytes that are read or written from there on.</param>
    /// <returns>The first word; EINVAL, ERANGE.</returns>
    public static Result<int> Read(AttributeReader attributes, int type, int length)
    {
        Errno errno = attributes.Read(type, out uint? number);
        if (errno != Errno.None || number is not { } register)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        int? word = register switch
        {
            >= 1 and <= LastLarge => (int)(register - 1) * WordsOfLarge,
            >= FirstSmall and < FirstSmall + FilterRegisters.Count => (int)(register - FirstSmall),
            _ => null,
        };
        if (word is not { } first)
        {
            return register == Verdict ? Errno.EINVAL : Errno.ERANGE;
        }

        return length == 0 ? Errno.EINVAL : (first * WordLength) + length > FilterRegisters.Count * WordLength ? Errno.ERANGE : first;
    }

    /// <summary>Adds a register's number to a dump, as a large one if it is one.</summary>
    public static void Put(NetlinkWriter writer, ushort type, int word) =>
        writer.PutBig(type, word % WordsOfLarge == 0 ? 1 + (uint)(word / WordsOfLarge) : FirstSmall + (uint)word);

    /// <summary>Writes bytes to a register; the rest of the last word is zero.</summary>
    public static void Store(ref FilterRegisters registers, int word, ReadOnlySpan<byte> value)
    {
        Span<byte> room = registers.Bytes(word, (value.Length + WordLength - 1) & ~(WordLength - 1));
        room.Clear();
        value.CopyTo(room);
    }

    /// <summary>Writes a number in the machine's order.</summary>
    public static void Store(ref FilterRegisters registers, int word, uint value) => registers[word] = value;
}
