using System.Buffers.Binary;
using Moat.Kernel.Bpf;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Filters;

/// <summary>A packet as a filter sees it: bytes from where the socket's protocol begins, and what is known beside them. Numbers are in network order.</summary>
internal readonly ref struct FilteredPacket : IBpfData
{
    private const uint NetworkOffsets = unchecked((uint)-0x100000); // SKF_NET_OFF

    private readonly Packet _packet;
    private readonly ReadOnlySpan<byte> _front;
    private readonly int _skip;

    /// <summary>Of a packet.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="front">Bytes that the socket sees before those of the packet: a link-layer header that is not there.</param>
    /// <param name="skip">Bytes of the packet that it does not see.</param>
    public FilteredPacket(Packet packet, ReadOnlySpan<byte> front, int skip)
    {
        _packet = packet;
        _front = front;
        _skip = skip;
    }

    /// <summary>Where the network header is, by the offsets of the packet; negative before what is seen.</summary>
    public required int NetworkOffset { get; init; }

    /// <summary>Where the link-layer header is, by the offsets that the program uses; null without one.</summary>
    public int? LinkOffset { get; init; }

    /// <summary>The EtherType.</summary>
    public required ushort Protocol { get; init; }

    /// <summary>PACKET_HOST, PACKET_OUTGOING, ….</summary>
    public byte PacketType { get; init; }

    /// <summary>Where it was seen.</summary>
    public required NetworkInterface Owner { get; init; }

    /// <inheritdoc/>
    public uint Length => (uint)(_front.Length + _packet.Length - _skip);

    /// <inheritdoc/>
    public bool TryLoad(uint offset, int size, out uint value)
    {
        value = 0;
        if (offset < BpfProgram.NegativeOffsets)
        {
            return TryRead(offset, size, out value);
        }

        if (offset >= NetworkOffsets)
        {
            return TryRead(NetworkOffset + (int)(offset - NetworkOffsets), size, out value);
        }

        return LinkOffset is { } link && TryRead(link + (int)(offset - BpfProgram.NegativeOffsets), size, out value);
    }

    /// <inheritdoc/>
    public bool TryLoad(BpfExtension extension, uint a, uint x, out uint value)
    {
        value = extension switch
        {
            BpfExtension.Protocol => Protocol,
            BpfExtension.PacketType => PacketType,
            BpfExtension.InterfaceIndex => (uint)Owner.Index,
            BpfExtension.Mark => _packet.Mark,
            BpfExtension.HardwareType => (uint)InterfaceFlags.HardwareTypeOf(Owner),
            BpfExtension.Random => Random(),
            BpfExtension.PayloadOffset => PayloadOffset(),
            BpfExtension.NetlinkAttribute => FindAttribute(a, Length, x),
            BpfExtension.NestedAttribute => FindNestedAttribute(a, x),
            _ => 0, // no device here takes tags off, hashes, or has queues; processors are not told apart
        };
        return true;
    }

    private uint Random()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Owner.Host.Fill(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private int Lowest => Math.Min(Math.Min(NetworkOffset, LinkOffset ?? 0), 0);

    // Offsets are those of the program: of the front, then of the packet, with the headers before it.
    private bool TryRead(long offset, int size, out uint value)
    {
        value = 0;
        if (offset < Lowest || offset > Length - size)
        {
            return false;
        }

        for (int i = 0; i < size; i++)
        {
            value = (value << 8) | ReadByte((int)offset + i);
        }

        return true;
    }

    private byte ReadByte(int offset)
    {
        if (offset >= 0 && offset < _front.Length)
        {
            return _front[offset];
        }

        int behindStart = offset - _front.Length + _skip;
        return behindStart < 0 ? _packet.LinearFrom(_packet.Start + behindStart)[0] : _packet.PieceAt(behindStart)[0];
    }

    // struct nlattr: length and type in the machine's order, then the value; each begins at a multiple of four.
    private uint FindAttribute(uint offset, uint end, uint type)
    {
        const uint HeaderLength = 4;
        const uint TypeMask = 0x3fff;
        while (offset <= end - HeaderLength && end >= HeaderLength && TryRead(offset, 2, out uint length) && TryRead(offset + 2, 2, out uint found))
        {
            length = BinaryPrimitives.ReverseEndianness((ushort)length);
            if (length < HeaderLength || length > end - offset)
            {
                return 0;
            }

            if ((BinaryPrimitives.ReverseEndianness((ushort)found) & TypeMask) == type)
            {
                return offset;
            }

            offset += (length + 3) & ~3u;
        }

        return 0;
    }

    private uint FindNestedAttribute(uint offset, uint type) =>
        TryRead(offset, 2, out uint length) && BinaryPrimitives.ReverseEndianness((ushort)length) <= Length - offset
            ? FindAttribute(offset + 4, offset + BinaryPrimitives.ReverseEndianness((ushort)length), type) : 0;

    // __skb_get_poff: behind the transport header.
    private uint PayloadOffset()
    {
        if (!TryRead(NetworkOffset, 1, out uint first))
        {
            return 0;
        }

        uint protocol;
        int transport;
        if (first >> 4 == 4 && TryRead(NetworkOffset + 9, 1, out protocol))
        {
            transport = NetworkOffset + ((int)(first & 15) * 4);
        }
        else if (first >> 4 == 6 && TryRead(NetworkOffset + 6, 1, out protocol))
        {
            transport = NetworkOffset + Ipv6Header.Length;
        }
        else
        {
            return 0;
        }

        const int TcpLengthOffset = 12;
        return (uint)(transport + (IpProtocol)protocol switch
        {
            IpProtocol.Tcp => TryRead(transport + TcpLengthOffset, 1, out uint words) ? (int)Math.Max(words >> 4, 5) * 4 : 0,
            IpProtocol.Udp => UdpHeader.Length,
            IpProtocol.Icmp or IpProtocol.IcmpV6 => IcmpHeader.Length,
            _ => 0,
        });
    }
}
