using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>The fixed header of IPv6 (RFC 8200 section 3).</summary>
public readonly record struct Ipv6Header
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 40;

    /// <summary>Bytes behind the header, extension headers included.</summary>
    public int PayloadLength { get; init; }

    /// <summary>DSCP and ECN.</summary>
    public byte TrafficClass { get; init; }

    /// <summary>20 bits.</summary>
    public uint FlowLabel { get; init; }

    /// <summary>What follows: an extension header or the payload.</summary>
    public IpProtocol NextHeader { get; init; }

    /// <summary>How many routers it may pass.</summary>
    public byte HopLimit { get; init; }

    /// <summary>From whom.</summary>
    public IpAddress Source { get; init; }

    /// <summary>To whom.</summary>
    public IpAddress Destination { get; init; }

    /// <summary>Reads and checks a header. IPv4-mapped addresses are refused: on the wire they mean nothing, and the stack takes them for IPv4 (RFC 4291 section 2.5.5.2).</summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, out Ipv6Header header)
    {
        header = default;
        if (packet.Length < Length || packet[0] >> 4 != 6)
        {
            return false;
        }

        uint first = BinaryPrimitives.ReadUInt32BigEndian(packet);
        header = new Ipv6Header
        {
            PayloadLength = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]),
            TrafficClass = (byte)(first >> 20),
            FlowLabel = first & 0xf_ffff,
            NextHeader = (IpProtocol)packet[6],
            HopLimit = packet[7],
            Source = IpAddress.FromBytes(packet.Slice(8, 16)),
            Destination = IpAddress.FromBytes(packet.Slice(24, 16)),
        };
        return !header.Source.IsV4 && !header.Destination.IsV4;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, 6u << 28 | (uint)TrafficClass << 20 | FlowLabel);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], (ushort)PayloadLength);
        destination[6] = (byte)NextHeader;
        destination[7] = HopLimit;
        Source.WriteV6To(destination[8..]);
        Destination.WriteV6To(destination[24..]);
    }
}
