using System.Buffers.Binary;

namespace Moat.Sockets.Netlink;

/// <summary><c>struct nlmsghdr</c> (netlink(7)).</summary>
/// <param name="MessageLength">Bytes of the message, this header included.</param>
/// <param name="Type">What the payload is.</param>
/// <param name="Flags">NLM_F_*.</param>
/// <param name="Sequence">The requester's number, which answers repeat.</param>
/// <param name="Port">The sender's port.</param>
public readonly record struct NetlinkHeader(uint MessageLength, ushort Type, NetlinkFlags Flags, uint Sequence, uint Port)
{
    /// <summary>Bytes of the header.</summary>
    public const int Length = 16;

    /// <summary>NLMSG_ERROR: an error or, with 0, an acknowledgement.</summary>
    public const ushort Error = 2;

    /// <summary>NLMSG_DONE: the end of a dump.</summary>
    public const ushort Done = 3;

    /// <summary>NLMSG_MIN_TYPE: lower numbers are netlink's own.</summary>
    public const ushort MinType = 16;

    /// <summary>Rounds up to what messages and attributes are aligned to.</summary>
    public static int Align(int length) => (length + 3) & ~3;

    /// <summary>Reads a header; the caller has checked that there is one.</summary>
    public static NetlinkHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
        (NetlinkFlags)BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));

    /// <summary>Writes the header.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, MessageLength);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], Type);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)Flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], Port);
    }
}
