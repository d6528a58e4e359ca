using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Sockets.Netlink;

/// <summary><c>struct sockaddr_nl</c> (netlink(7)).</summary>
/// <param name="Port">The port: 0 is the kernel.</param>
/// <param name="Groups">The first 32 multicast groups, a bit for each.</param>
internal readonly record struct NetlinkAddress(uint Port, uint Groups)
{
    /// <summary>Bytes.</summary>
    public const int Length = 12;

    /// <summary>Reads an address.</summary>
    /// <returns>EINVAL.</returns>
    public static Result<NetlinkAddress> Parse(ReadOnlySpan<byte> bytes) =>
        bytes.Length < Length || BinaryPrimitives.ReadUInt16LittleEndian(bytes) != (ushort)AddressFamily.AF_NETLINK
            ? Errno.EINVAL
            : new NetlinkAddress(BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));

    /// <summary>The address as the guest sees it.</summary>
    public byte[] Format()
    {
        byte[] bytes = new byte[Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)AddressFamily.AF_NETLINK);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Port);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Groups);
        return bytes;
    }
}
