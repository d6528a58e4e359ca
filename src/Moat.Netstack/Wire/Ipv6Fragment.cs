using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>The fragment header of IPv6 (RFC 8200 section 4.5).</summary>
/// <param name="NextHeader">What the first fragment's payload begins with.</param>
/// <param name="Offset">Where in the packet this fragment's payload belongs, in bytes.</param>
/// <param name="MoreFragments">Another fragment follows.</param>
/// <param name="Identification">What fragments of one packet share.</param>
public readonly record struct Ipv6Fragment(IpProtocol NextHeader, int Offset, bool MoreFragments, uint Identification)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 8;

    /// <summary>Reads a header; false if there are too few bytes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Ipv6Fragment fragment)
    {
        fragment = default;
        if (bytes.Length < Length)
        {
            return false;
        }

        ushort offset = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        fragment = new Ipv6Fragment((IpProtocol)bytes[0], offset & ~7, (offset & 1) != 0, BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
        return true;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)NextHeader;
        destination[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)(Offset | (MoreFragments ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Identification);
    }
}
