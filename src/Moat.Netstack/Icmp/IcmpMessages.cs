using System.Buffers.Binary;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Icmp;

/// <summary>What all ICMP messages share: their checksum.</summary>
internal static class IcmpMessages
{
    /// <summary>Writes the checksum of a message, which the packet begins with.</summary>
    public static void Seal(Packet packet, IpAddress source, IpAddress destination)
    {
        Span<byte> field = packet.Linear[IcmpHeader.ChecksumOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(field, 0);
        BinaryPrimitives.WriteUInt16BigEndian(field, Sum(packet, source, destination));
    }

    /// <summary>Whether the checksum of a message, which the packet begins with, is right.</summary>
    public static bool IsIntact(Packet packet, IpAddress source, IpAddress destination) => packet.Checksum == ChecksumState.Verified || Sum(packet, source, destination) == 0;

    private static ushort Sum(Packet packet, IpAddress source, IpAddress destination)
    {
        InternetChecksum checksum = source.IsV4 ? default : InternetChecksum.OfPseudoHeader(source, destination, IpProtocol.IcmpV6, packet.Length);
        packet.AddTo(ref checksum, 0);
        return checksum.Value;
    }
}
