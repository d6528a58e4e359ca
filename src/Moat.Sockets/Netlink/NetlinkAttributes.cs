using System.Buffers.Binary;
using System.Text;
using Moat.Linux;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>A view of the attributes of a message (<c>struct nlattr</c>). What follows a malformed attribute is no attribute; of several of one type the last counts, as in Linux.</summary>
public readonly ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    /// <summary>NLA_F_NESTED: of an attribute's type, if it holds others. Requests may leave it out.</summary>
    public const ushort Nested = 0x8000;

    private const int HeaderLength = 4;
    private const int TypeMask = 0x3fff; // without NLA_F_NESTED, NLA_F_NET_BYTEORDER

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Finds an attribute.</summary>
    public bool TryFind(int type, out ReadOnlySpan<byte> value)
    {
        value = default;
        bool isFound = false;
        ReadOnlySpan<byte> rest = _bytes;
        while (rest.Length >= HeaderLength)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (length < HeaderLength || length > rest.Length)
            {
                break;
            }

            if ((BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]) & TypeMask) == type)
            {
                value = rest[HeaderLength..length];
                isFound = true;
            }

            rest = rest[Math.Min(NetlinkHeader.Align(length), rest.Length)..];
        }

        return isFound;
    }

    /// <summary>What an attribute holds; nothing if there is none.</summary>
    public NetlinkAttributes Nest(int type) => new(TryFind(type, out ReadOnlySpan<byte> value) ? value : default);

    /// <summary>Reads a number of 32 bits; null if there is none.</summary>
    /// <returns>ERANGE if the attribute is too short.</returns>
    public Errno Read(int type, out uint? number)
    {
        number = null;
        if (!TryFind(type, out ReadOnlySpan<byte> value))
        {
            return Errno.None;
        }

        if (value.Length < sizeof(uint))
        {
            return Errno.ERANGE;
        }

        number = BinaryPrimitives.ReadUInt32LittleEndian(value);
        return Errno.None;
    }

    /// <summary>Reads an address; null if there is none.</summary>
    /// <returns>EINVAL if it is not as long as the family's.</returns>
    public Errno Read(int type, AddressFamily family, out IpAddress? address)
    {
        address = null;
        if (!TryFind(type, out ReadOnlySpan<byte> value))
        {
            return Errno.None;
        }

        if (value.Length != (family == AddressFamily.AF_INET ? 4 : 16))
        {
            return Errno.EINVAL;
        }

        address = IpAddress.FromBytes(value);
        return Errno.None;
    }

    /// <summary>Reads a text that ends with a zero byte or with the attribute; null if there is none.</summary>
    public string? ReadText(int type)
    {
        if (!TryFind(type, out ReadOnlySpan<byte> value))
        {
            return null;
        }

        int end = value.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? value : value[..end]);
    }
}
