using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>Writes the checksums of a frame whatever else is wrong with it: otherwise few would come further than to where they are checked.</summary>
internal static class FrameChecksums
{
    private const int Ethernet = 14;

    /// <summary>Writes those that there is room for.</summary>
    public static void Write(Span<byte> frame)
    {
        if (frame.Length < Ethernet + Ipv4Header.MinLength)
        {
            return;
        }

        Span<byte> packet = frame[Ethernet..];
        if (packet[0] >> 4 == 4)
        {
            int header = Math.Clamp((packet[0] & 0xf) * 4, Ipv4Header.MinLength, packet.Length);
            int end = Math.Clamp(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]), header, packet.Length);
            packet[10..12].Clear();
            BinaryPrimitives.WriteUInt16BigEndian(packet[10..], InternetChecksum.Of(packet[..header]));
            WriteTransport((IpProtocol)packet[9], IpAddress.FromBytes(packet[12..16]), IpAddress.FromBytes(packet[16..20]), packet[header..end]);
        }
        else if (packet.Length >= Ipv6Header.Length)
        {
            IpProtocol next = (IpProtocol)packet[6];
            int at = Ipv6Header.Length;
            while (next is IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing && at + 8 <= packet.Length)
            {
                (next, at) = ((IpProtocol)packet[at], at + (8 * (packet[at + 1] + 1)));
            }

            int end = Math.Clamp(Ipv6Header.Length + BinaryPrimitives.ReadUInt16BigEndian(packet[4..]), 0, packet.Length);
            WriteTransport(next, IpAddress.FromBytes(packet[8..24]), IpAddress.FromBytes(packet[24..40]), at < end ? packet[at..end] : []);
        }
    }

    private static void WriteTransport(IpProtocol protocol, IpAddress source, IpAddress destination, Span<byte> payload)
    {
        int offset = protocol switch
        {
            IpProtocol.Tcp => 16,
            IpProtocol.Udp => 6,
            IpProtocol.Icmp or IpProtocol.Igmp or IpProtocol.IcmpV6 => 2,
            _ => -1,
        };
        if (offset < 0 || payload.Length < offset + 2)
        {
            return;
        }

        InternetChecksum checksum = protocol is IpProtocol.Icmp or IpProtocol.Igmp ? default : InternetChecksum.OfPseudoHeader(source, destination, protocol, payload.Length);
        payload.Slice(offset, 2).Clear();
        checksum.Add(payload);
        BinaryPrimitives.WriteUInt16BigEndian(payload[offset..], checksum.Value);
    }
}
