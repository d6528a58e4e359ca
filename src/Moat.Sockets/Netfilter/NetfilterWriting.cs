using System.Buffers.Binary;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter;

/// <summary>Writes what nfnetlink messages hold: a <c>struct nfgenmsg</c> and big-endian numbers.</summary>
internal static class NetfilterWriting
{
    /// <summary>Bytes of <c>struct nfgenmsg</c>.</summary>
    public const int HeaderLength = 4;

    /// <summary>Begins a message of a subsystem.</summary>
    public static void Begin(this NetlinkWriter writer, int subsystem, int type, NetlinkFlags flags, byte family, ushort resource)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header[0] = family;
        header[1] = 0; // NFNETLINK_V0
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], resource);
        writer.Begin((ushort)(subsystem << 8 | type), flags, header);
    }

    /// <summary>Adds a number of 32 bits.</summary>
    public static void PutBig(this NetlinkWriter writer, ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        writer.Put(type, bytes);
    }

    /// <summary>Adds a number of 64 bits.</summary>
    public static void PutBig(this NetlinkWriter writer, ushort type, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        writer.Put(type, bytes);
    }

    /// <summary>Adds a number of 16 bits.</summary>
    public static void PutBig(this NetlinkWriter writer, ushort type, ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        writer.Put(type, bytes);
    }
}
