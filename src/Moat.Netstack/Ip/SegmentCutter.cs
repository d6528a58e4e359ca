using System.Buffers.Binary;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Cuts a TCP packet that is larger than the MTU into segments, for links that do not do so themselves, and completes checksums.</summary>
internal static class SegmentCutter
{
    private const int TotalLength = 2;
    private const int Identification = 4;
    private const int HeaderChecksum = 10;
    private const int PayloadLength = 4; // of IPv6
    private const int Sequence = 4; // of TCP
    private const int Control = 13; // of TCP
    private const byte LastOnly = (byte)(TcpFlags.FIN | TcpFlags.PSH);

    /// <summary>Makes a packet one that may leave the machine: one or several, with checksums. It is released, unless it is among them.</summary>
    /// <param name="packet">Begins with its link header, if it has one.</param>
    /// <param name="linkLength">The length of that.</param>
    /// <param name="pool">Where segments come from.</param>
    /// <param name="segments">Where they go.</param>
    public static void Cut(Packet packet, int linkLength, PacketPool pool, ref PacketQueue segments)
    {
        if (packet.Checksum == ChecksumState.Verified)
        {
            FrameChecksum.Restart(packet, linkLength);
        }

        int ip = linkLength;
        bool isV4 = packet.LinearLength > ip && packet.Linear[ip] >> 4 == 4;
        int tcp = packet.TransportHeader - packet.Start;
        if (packet.SegmentSize == 0)
        {
            if (packet.Checksum == ChecksumState.Partial)
            {
                packet.Pull(linkLength);
                TransportChecksum.Complete(packet, tcp - linkLength, (IpProtocol)packet.Linear[isV4 ? 9 : 6]);
                _ = packet.Push(linkLength);
            }

            segments.Enqueue(packet);
            return;
        }

        if (packet.LinearLength >= tcp + TcpHeader.MinLength && TcpHeader.TryParse(packet.Linear[tcp..], out TcpHeader header) && packet.LinearLength >= tcp + header.HeaderLength)
        {
            CutTcp(packet, ip, tcp, tcp + header.HeaderLength, isV4, pool, ref segments);
        }

        packet.Release();
    }

    private static void CutTcp(Packet packet, int ip, int tcp, int headers, bool isV4, PacketPool pool, ref PacketQueue segments)
    {
        ReadOnlySpan<byte> model = packet.Linear[..headers];
        int size = packet.SegmentSize;
        int number = 0;
        for (int offset = headers; offset < packet.Length; offset += size)
        {
            int count = Math.Min(size, packet.Length - offset);
            Packet segment = pool.Rent(headers + count);
            Span<byte> bytes = segment.Append(headers + count);
            model.CopyTo(bytes);
            _ = packet.CopyTo(offset, bytes[headers..]);
            WriteIp(bytes[ip..], isV4, number);
            Span<byte> transport = bytes[tcp..];
            BinaryPrimitives.WriteUInt32BigEndian(transport[Sequence..], unchecked(BinaryPrimitives.ReadUInt32BigEndian(transport[Sequence..]) + (uint)(offset - headers)));
            transport[Control] &= offset + count < packet.Length ? unchecked((byte)~LastOnly) : byte.MaxValue;
            transport[TcpHeader.ChecksumOffset..(TcpHeader.ChecksumOffset + 2)].Clear();
            ReadOnlySpan<byte> header = bytes[ip..];
            InternetChecksum checksum = InternetChecksum.OfPseudoHeader(
                IpAddress.FromBytes(isV4 ? header[12..16] : header[8..24]), IpAddress.FromBytes(isV4 ? header[16..20] : header[24..40]), IpProtocol.Tcp, transport.Length);
            checksum.Add(transport);
            BinaryPrimitives.WriteUInt16BigEndian(transport[TcpHeader.ChecksumOffset..], checksum.Value);
            segments.Enqueue(segment);
            number++;
        }
    }

    private static void WriteIp(Span<byte> header, bool isV4, int number)
    {
        if (!isV4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header[PayloadLength..], (ushort)(header.Length - Ipv6Header.Length));
            return;
        }

        BinaryPrimitives.WriteUInt16BigEndian(header[TotalLength..], (ushort)header.Length);
        BinaryPrimitives.WriteUInt16BigEndian(header[Identification..], unchecked((ushort)(BinaryPrimitives.ReadUInt16BigEndian(header[Identification..]) + number)));
        header[HeaderChecksum..(HeaderChecksum + 2)].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[HeaderChecksum..], InternetChecksum.Of(header[..((header[0] & 0xf) * 4)]));
    }
}
