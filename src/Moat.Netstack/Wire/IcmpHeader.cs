using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>The first eight bytes of an ICMP message of either version (RFC 792, RFC 4443).</summary>
/// <param name="Type">What it says.</param>
/// <param name="Code">More exactly.</param>
/// <param name="Checksum">The field as it stands.</param>
/// <param name="Rest">The four bytes that mean something else in every type: identifier and sequence of an echo, an MTU, a pointer.</param>
public readonly record struct IcmpHeader(byte Type, byte Code, ushort Checksum, uint Rest)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 8;

    /// <summary>Where the checksum stands.</summary>
    public const int ChecksumOffset = 2;

    /// <summary>Reads a header; false if there are too few bytes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out IcmpHeader header)
    {
        header = default;
        if (bytes.Length < Length)
        {
            return false;
        }

        header = new IcmpHeader(bytes[0], bytes[1], BinaryPrimitives.ReadUInt16BigEndian(bytes[ChecksumOffset..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
        return true;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = Type;
        destination[1] = Code;
        BinaryPrimitives.WriteUInt16BigEndian(destination[ChecksumOffset..], Checksum);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Rest);
    }
}
