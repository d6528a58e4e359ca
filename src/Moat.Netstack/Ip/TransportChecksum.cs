using System.Buffers.Binary;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Checksums of TCP and UDP of packets that begin with an IP header.</summary>
internal static class TransportChecksum
{
    private const int UdpChecksum = 6;

    /// <summary>Completes a checksum that was left to the device.</summary>
    public static void Complete(Packet packet, int transportOffset, IpProtocol protocol)
    {
        if (OffsetOf(protocol) is not { } at || packet.LinearLength < transportOffset + at + 2)
        {
            return;
        }

        InternetChecksum checksum = default; // the field holds the pseudo-header's part
        packet.AddTo(ref checksum, transportOffset);
        ushort value = checksum.Value;
        packet.Unshare();
        BinaryPrimitives.WriteUInt16BigEndian(packet.Linear[(transportOffset + at)..], value == 0 && protocol == IpProtocol.Udp ? ushort.MaxValue : value);
        packet.Checksum = ChecksumState.None;
    }

    /// <summary>Leaves a checksum that was known to be right, whatever its field holds, to the device that the packet goes out of.</summary>
    public static void Restart(Packet packet, int transportOffset, IpProtocol protocol, IpAddress source, IpAddress destination)
    {
        packet.Checksum = ChecksumState.None;
        if (OffsetOf(protocol) is not { } at || packet.LinearLength < transportOffset + at + 2)
        {
            return;
        }

        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(source, destination, protocol, packet.Length - transportOffset);
        packet.Unshare();
        BinaryPrimitives.WriteUInt16BigEndian(packet.Linear[(transportOffset + at)..], (ushort)~checksum.Value);
        packet.Checksum = ChecksumState.Partial;
    }

    private static int? OffsetOf(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => TcpHeader.ChecksumOffset,
        IpProtocol.Udp => UdpChecksum,
        _ => null,
    };
}
