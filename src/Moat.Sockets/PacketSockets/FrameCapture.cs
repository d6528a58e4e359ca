using System.Buffers;
using System.Buffers.Binary;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;
using Moat.Sockets.Filters;
using Moat.Sockets.Inet;

namespace Moat.Sockets.PacketSockets;

/// <summary>Copies what a packet socket wants of a packet that passes.</summary>
internal static class FrameCapture
{
    private const byte ToHost = 0; // PACKET_HOST
    private const byte Outgoing = 4; // PACKET_OUTGOING

    /// <summary>Copies a frame.</summary>
    /// <param name="packet">The packet, from its link-layer header on.</param>
    /// <param name="owner">Where it passes.</param>
    /// <param name="isOutgoing">Whether it leaves.</param>
    /// <param name="isRaw">Whether the socket sees link-layer headers; a link without any shows empty ones of Ethernet.</param>
    /// <param name="type">The EtherType.</param>
    /// <param name="filter">What the socket wants, or null for everything.</param>
    /// <param name="realtimeNs">The time.</param>
    /// <param name="frame">The copy, in an array of the shared pool.</param>
    /// <returns>False if the filter does not want it.</returns>
    public static bool TryCapture(Packet packet, NetworkInterface owner, bool isOutgoing, bool isRaw, ushort type, SocketFilter? filter, long realtimeNs, out CapturedFrame frame)
    {
        frame = default;
        int skip = !isRaw && owner.HasEthernet ? EthernetHeader.Length : 0;
        Span<byte> front = stackalloc byte[EthernetHeader.Length];
        front = front[..(isRaw && !owner.HasEthernet ? EthernetHeader.Length : 0)];
        if (!front.IsEmpty)
        {
            new EthernetHeader(default, default, (EtherType)type).Write(front);
        }

        byte packetType = isOutgoing ? Outgoing : ToHost;
        int length = packet.Length - skip + front.Length;
        int captured = length;
        if (filter is not null)
        {
            int networkOffset = isRaw ? EthernetHeader.Length : 0;
            FilteredPacket seen = new(packet, front, skip)
            {
                NetworkOffset = networkOffset,
                LinkOffset = isRaw || owner.HasEthernet ? networkOffset - EthernetHeader.Length : null,
                Protocol = type,
                PacketType = packetType,
                Owner = owner,
            };
            captured = (int)Math.Min(filter.Run(seen), (uint)length);
            if (captured == 0)
            {
                return false;
            }
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(captured);
        int ofFront = Math.Min(front.Length, captured);
        front[..ofFront].CopyTo(bytes);
        _ = packet.CopyTo(skip, bytes.AsSpan(ofFront, captured - ofFront));
        PacketAddress address = new(type, owner.Index)
        {
            HardwareType = (ushort)InterfaceFlags.HardwareTypeOf(owner),
            PacketType = packetType,
            Hardware = owner.HasEthernet && EthernetHeader.TryParse(packet.Linear, out EthernetHeader header) ? header.Source : default,
        };
        frame = new CapturedFrame(bytes, captured, length, address, realtimeNs);
        return true;
    }

    /// <summary>The EtherType of a packet.</summary>
    public static ushort TypeOf(Packet packet, NetworkInterface owner)
    {
        if (owner.HasEthernet)
        {
            return EthernetHeader.TryParse(packet.Linear, out EthernetHeader header) ? (ushort)header.Type : (ushort)0;
        }

        return packet.LinearLength > 0 && packet.Linear[0] >> 4 == 6 ? (ushort)EtherType.Ipv6 : (ushort)EtherType.Ipv4;
    }

    /// <summary><c>struct tpacket_auxdata</c>: status, length, captured length, where link and network header are.</summary>
    public static byte[] Auxiliary(in CapturedFrame frame)
    {
        byte[] data = new byte[20];
        BinaryPrimitives.WriteUInt32LittleEndian(data, 1);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(4), frame.FullLength);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(8), frame.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(14), EthernetHeader.Length);
        return data;
    }
}
