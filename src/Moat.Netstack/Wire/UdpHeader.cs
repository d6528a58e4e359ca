using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>A UDP header (RFC 768).</summary>
/// <param name="SourcePort">From which port.</param>
/// <param name="DestinationPort">To which port.</param>
/// <param name="DatagramLength">Bytes of header and payload.</param>
/// <param name="Checksum">The field as it stands; 0 over IPv4 means that there is none.</param>
public readonly record struct UdpHeader(ushort SourcePort, ushort DestinationPort, ushort DatagramLength, ushort Checksum)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 8;

    /// <summary>Where the checksum stands.</summary>
    public const int ChecksumOffset = 6;

    /// <summary>Reads a header; false if there are fewer bytes than it says or it is shorter than itself. The checksum is the caller's to verify.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, int available, out UdpHeader header)
    {
        header = default;
        if (bytes.Length < Length)
        {
            return false;
        }

        header = new UdpHeader(
            BinaryPrimitives.ReadUInt16BigEndian(bytes),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[ChecksumOffset..]));
        return header.DatagramLength >= Length && header.DatagramLength <= available;
    }

    /// <summary>Reads a header of UDP-Lite (RFC 3828 section 3.1), of which the length field is the checksum's coverage.</summary>
    /// <param name="bytes">The datagram's linear part.</param>
    /// <param name="available">The datagram's length.</param>
    /// <param name="header">The header, with the datagram's length.</param>
    /// <param name="coverage">How many bytes the checksum covers.</param>
    public static bool TryParseLite(ReadOnlySpan<byte> bytes, int available, out UdpHeader header, out int coverage)
    {
        coverage = 0;
        header = default;
        if (bytes.Length < Length)
        {
            return false;
        }

        int field = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        coverage = field == 0 ? available : field;
        header = new UdpHeader(
            BinaryPrimitives.ReadUInt16BigEndian(bytes),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            (ushort)available,
            BinaryPrimitives.ReadUInt16BigEndian(bytes[ChecksumOffset..]));
        return coverage >= Length && coverage <= available;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], DatagramLength);
        BinaryPrimitives.WriteUInt16BigEndian(destination[ChecksumOffset..], Checksum);
    }
}
