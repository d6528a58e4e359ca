using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>Somebody who sees what a host sends, and answers in the name of its peers: sequence numbers are said relative to those that the host would take.</summary>
internal sealed class ForgedPeer
{
    private const int Ethernet = FuzzedHost.Ethernet;
    private const int Head = 12;
    private const byte SyncFlag = (byte)TcpFlags.SYN;

    private readonly FuzzedHost _host;
    private readonly Dictionary<(bool IsV6, ushort Port), (uint Next, uint Acknowledgment)> _expected = [];
    private readonly Dictionary<bool, ushort> _ports = [];

    /// <summary>Takes over from the host's peer, who sees nothing any more.</summary>
    public ForgedPeer(FuzzedHost host)
    {
        _host = host;
        host.Frames.ForEach(SeeOfPeer);
        host.Link.Drops = frame =>
        {
            SeeOfHost(frame);
            return true;
        };
    }

    /// <summary>Makes a segment.</summary>
    /// <param name="isV6">Over which version.</param>
    /// <param name="bytes">Flags; what is added to the sequence number and to the acknowledgment, in 16 bits that the fourth of a byte each shifts; window; urgent pointer; port: 0 for the connection that there is;
    /// length of options. Then options, then data. Null if there are too few.</param>
    public byte[]? Segment(bool isV6, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Head)
        {
            return null;
        }

        ushort port = bytes[10] == 0 ? _ports[isV6] : (ushort)(10_000 + bytes[10]);
        (uint next, uint acknowledgment) = _expected.GetValueOrDefault((isV6, port));
        int options = Math.Min(Math.Min((int)bytes[11], TcpHeader.MaxLength - TcpHeader.MinLength) & ~3, (bytes.Length - Head) & ~3);
        ReadOnlySpan<byte> rest = bytes[Head..];
        int ip = isV6 ? Ipv6Header.Length : Ipv4Header.MinLength;
        byte[] frame = _host.NewFrame(isV6 ? EtherType.Ipv6 : EtherType.Ipv4, ip + TcpHeader.MinLength + rest.Length);
        WriteIp(isV6, frame.AsSpan(Ethernet), TcpHeader.MinLength + rest.Length);
        new TcpHeader
        {
            SourcePort = port,
            DestinationPort = 80,
            Flags = (TcpFlags)bytes[0],
            Sequence = new SequenceNumber(next + Offset(bytes[1..], bytes[9] & 15)),
            Acknowledgment = new SequenceNumber(acknowledgment + Offset(bytes[3..], bytes[9] >> 4)),
            Window = BinaryPrimitives.ReadUInt16LittleEndian(bytes[5..]),
            UrgentPointer = BinaryPrimitives.ReadUInt16LittleEndian(bytes[7..]),
            HeaderLength = TcpHeader.MinLength + options,
        }.Write(frame.AsSpan(Ethernet + ip));
        rest.CopyTo(frame.AsSpan(Ethernet + ip + TcpHeader.MinLength));
        FrameChecksums.Write(frame);
        return frame;
    }

    private static uint Offset(ReadOnlySpan<byte> bytes, int shift) => (uint)BinaryPrimitives.ReadInt16LittleEndian(bytes) << shift;

    private static void WriteIp(bool isV6, Span<byte> destination, int length)
    {
        if (isV6)
        {
            new Ipv6Header { PayloadLength = length, NextHeader = IpProtocol.Tcp, HopLimit = 64, Source = FuzzedHost.PeerV6, Destination = FuzzedHost.AddressV6 }.Write(destination);
        }
        else
        {
            new Ipv4Header
            {
                HeaderLength = Ipv4Header.MinLength,
                TotalLength = Ipv4Header.MinLength + length,
                TimeToLive = 64,
                Protocol = IpProtocol.Tcp,
                Source = FuzzedHost.PeerV4,
                Destination = FuzzedHost.AddressV4,
            }.Write(destination);
        }
    }

    // The first connection of each version is the one that there is.
    private void SeeOfPeer(byte[] frame)
    {
        if (TryRead(frame, out bool isV6, out TcpHeader header, out int length) && (header.Flags & TcpFlags.RST) == 0 && header.DestinationPort == 80 && (header.Flags & TcpFlags.ACK) != 0)
        {
            _ = _ports.TryAdd(isV6, header.SourcePort);
            if (_ports[isV6] == header.SourcePort)
            {
                _expected[(isV6, header.SourcePort)] = (header.Sequence.Value + (uint)length, header.Acknowledgment.Value);
            }
        }
    }

    private void SeeOfHost(byte[] frame)
    {
        if (TryRead(frame, out bool isV6, out TcpHeader header, out int length) && (header.Flags & TcpFlags.RST) == 0)
        {
            (uint next, uint acknowledgment) = _expected.GetValueOrDefault((isV6, header.DestinationPort));
            uint end = header.Sequence.Value + (uint)length;
            bool isNew = ((byte)header.Flags & SyncFlag) != 0 || (int)(end - acknowledgment) > 0;
            _expected[(isV6, header.DestinationPort)] = ((header.Flags & TcpFlags.ACK) != 0 ? header.Acknowledgment.Value : next, isNew ? end : acknowledgment);
        }
    }

    // Length counts the SYN and the FIN.
    private static bool TryRead(byte[] frame, out bool isV6, out TcpHeader header, out int length)
    {
        ReadOnlySpan<byte> packet = frame.AsSpan(Ethernet);
        isV6 = packet.Length > 0 && packet[0] >> 4 == 6;
        header = default;
        length = 0;
        ReadOnlySpan<byte> segment = default;
        if (isV6 && Ipv6Header.TryParse(packet, out Ipv6Header v6) && v6.NextHeader == IpProtocol.Tcp)
        {
            segment = packet.Slice(Ipv6Header.Length, v6.PayloadLength);
        }
        else if (!isV6 && Ipv4Header.TryParse(packet, out Ipv4Header v4) && v4.Protocol == IpProtocol.Tcp)
        {
            segment = packet[v4.HeaderLength..v4.TotalLength];
        }

        if (!TcpHeader.TryParse(segment, out header))
        {
            return false;
        }

        length = segment.Length - header.HeaderLength + ((header.Flags & TcpFlags.SYN) != 0 ? 1 : 0) + ((header.Flags & TcpFlags.FIN) != 0 ? 1 : 0);
        return true;
    }
}
