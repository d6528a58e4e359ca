using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>An ARP message for IPv4 over Ethernet (RFC 826).</summary>
/// <param name="Operation">1 request, 2 reply.</param>
/// <param name="SenderHardware">Who says it.</param>
/// <param name="SenderProtocol">And its IPv4 address.</param>
/// <param name="TargetHardware">Who is meant; of no meaning in a request.</param>
/// <param name="TargetProtocol">The IPv4 address that is asked for.</param>
public readonly record struct ArpPacket(ushort Operation, EthernetAddress SenderHardware, IpAddress SenderProtocol, EthernetAddress TargetHardware, IpAddress TargetProtocol)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 28;

    /// <summary>ares_op$REQUEST.</summary>
    public const ushort Request = 1;

    /// <summary>ares_op$REPLY.</summary>
    public const ushort Reply = 2;

    private const ulong HardwareAndProtocol = 0x0001_0800_0604;

    /// <summary>Reads a message; false unless it is a request or a reply for IPv4 over Ethernet.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ArpPacket packet)
    {
        packet = default;
        if (bytes.Length < Length || BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16 != HardwareAndProtocol)
        {
            return false;
        }

        packet = new ArpPacket(
            BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            EthernetAddress.FromBytes(bytes[8..]),
            IpAddress.FromBytes(bytes.Slice(14, 4)),
            EthernetAddress.FromBytes(bytes[18..]),
            IpAddress.FromBytes(bytes.Slice(24, 4)));
        return packet.Operation is Request or Reply;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, HardwareAndProtocol << 16 | Operation);
        SenderHardware.WriteTo(destination[8..]);
        SenderProtocol.WriteTo(destination[14..]);
        TargetHardware.WriteTo(destination[18..]);
        TargetProtocol.WriteTo(destination[24..]);
    }
}
