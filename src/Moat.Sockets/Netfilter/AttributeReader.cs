using System.Buffers.Binary;
using System.Text;
using Moat.Linux;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter;

/// <summary>Reads attributes of nfnetlink, whose numbers are big-endian.</summary>
internal readonly ref struct AttributeReader(ReadOnlySpan<byte> bytes)
{
    private const int HeaderLength = 4;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Whether an attribute is there.</summary>
    public bool Has(int type) => new NetlinkAttributes(_bytes).TryFind(type, out _);

    /// <summary>Its bytes; empty if it is not there.</summary>
    public ReadOnlySpan<byte> Bytes(int type) => new NetlinkAttributes(_bytes).TryFind(type, out ReadOnlySpan<byte> value) ? value : default;

    /// <summary>The attributes in it.</summary>
    public AttributeReader Nest(int type) => new(Bytes(type));

    /// <summary>A number of 32 bits.</summary>
    /// <returns>ERANGE if it is too short.</returns>
    public Errno Read(int type, out uint? number)
    {
        number = null;
        if (!new NetlinkAttributes(_bytes).TryFind(type, out ReadOnlySpan<byte> value))
        {
            return Errno.None;
        }

        if (value.Length < sizeof(uint))
        {
            return Errno.ERANGE;
        }

        number = BinaryPrimitives.ReadUInt32BigEndian(value);
        return Errno.None;
    }

    /// <summary>A number of 64 bits.</summary>
    /// <returns>ERANGE if it is too short.</returns>
    public Errno Read(int type, out ulong? number)
    {
        number = null;
        if (!new NetlinkAttributes(_bytes).TryFind(type, out ReadOnlySpan<byte> value))
        {
            return Errno.None;
        }

        if (value.Length < sizeof(ulong))
        {
            return Errno.ERANGE;
        }

        number = BinaryPrimitives.ReadUInt64BigEndian(value);
        return Errno.None;
    }

    /// <summary>A name.</summary>
    /// <returns>ERANGE if it is longer than names are, EINVAL if it is empty.</returns>
    public Errno ReadName(int type, int maxLength, out string? name)
    {
        name = null;
        if (!new NetlinkAttributes(_bytes).TryFind(type, out ReadOnlySpan<byte> value))
        {
            return Errno.None;
        }

        int end = value.IndexOf((byte)0);
        value = end < 0 ? value : value[..end];
        if (value.Length >= maxLength)
        {
            return Errno.ERANGE;
        }

        name = Encoding.Latin1.GetString(value);
        return name.Length == 0 ? Errno.EINVAL : Errno.None;
    }

    /// <summary>Takes the first attribute of a list off it.</summary>
    /// <returns>False at the end, or at what is no attribute.</returns>
    public static bool TryTake(ref ReadOnlySpan<byte> list, out int type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (list.Length < HeaderLength)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(list);
        if (length < HeaderLength || length > list.Length)
        {
            return false;
        }

        type = BinaryPrimitives.ReadUInt16LittleEndian(list[2..]) & 0x3fff;
        value = list[HeaderLength..length];
        list = list[Math.Min(NetlinkHeader.Align(length), list.Length)..];
        return true;
    }
}
