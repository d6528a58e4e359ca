using System.Buffers.Binary;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Checksums of TCP and UDP of packets that begin with a link header, which a bridge or a virtual link passes on.</summary>
internal static class FrameChecksum
{
    /// <summary>Leaves the checksum of a packet that was known to be right, whatever its field holds, to the device that it goes out of. What is no such packet stays as it is.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="linkLength">The length of its link header; 0 if it has none.</param>
    public static void Restart(Packet packet, int linkLength)
    {
        packet.Checksum = ChecksumState.None;
        if (packet.LinearLength < linkLength + Ipv4Header.MinLength)
        {
            return;
        }

        packet.Pull(linkLength);
        ReadOnlySpan<byte> bytes = packet.Linear;
        bool isWhole = (BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) & 0x3fff) == 0;
        if (bytes[0] >> 4 == 4 && isWhole && HasType(packet, linkLength, EtherType.Ipv4))
        {
            Restart(packet, (bytes[0] & 0xf) * 4, (IpProtocol)bytes[9], bytes[12..16], bytes[16..20]);
        }
        else if (bytes[0] >> 4 == 6 && bytes.Length >= Ipv6Header.Length && HasType(packet, linkLength, EtherType.Ipv6))
        {
            Restart(packet, Ipv6Header.Length, (IpProtocol)bytes[6], bytes[8..24], bytes[24..40]);
        }

        _ = packet.Push(linkLength);
    }

    // A packet without a link header is what it begins with.
    private static bool HasType(Packet packet, int linkLength, EtherType type) =>
        linkLength < EthernetHeader.Length || (EtherType)BinaryPrimitives.ReadUInt16BigEndian(packet.LinearFrom(packet.Start - sizeof(ushort))) == type;

    private static void Restart(Packet packet, int length, IpProtocol protocol, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination)
    {
        (packet.NetworkHeader, packet.TransportHeader) = (packet.Start, packet.Start + length);
        TransportChecksum.Restart(packet, length, protocol, IpAddress.FromBytes(source), IpAddress.FromBytes(destination));
    }
}
