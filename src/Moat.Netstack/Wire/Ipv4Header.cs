using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>An IPv4 header without its options (RFC 791 section 3.1).</summary>
public readonly record struct Ipv4Header
{
    /// <summary>Bytes without options.</summary>
    public const int MinLength = 20;

    /// <summary>Bytes with all the options there is room for.</summary>
    public const int MaxLength = 60;

    private const ushort DontFragmentBit = 0x4000;
    private const ushort MoreFragmentsBit = 0x2000;
    private const ushort OffsetMask = 0x1fff;

    /// <summary>Bytes of the header with its options: a multiple of four.</summary>
    public int HeaderLength { get; init; }

    /// <summary>Bytes of the packet, header included.</summary>
    public int TotalLength { get; init; }

    /// <summary>DSCP and ECN.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>What fragments of one packet share.</summary>
    public ushort Identification { get; init; }

    /// <summary>Routers must not fragment it.</summary>
    public bool DontFragment { get; init; }

    /// <summary>Another fragment follows.</summary>
    public bool MoreFragments { get; init; }

    /// <summary>Where in the packet this fragment's payload belongs, in bytes.</summary>
    public int FragmentOffset { get; init; }

    /// <summary>How many routers it may pass.</summary>
    public byte TimeToLive { get; init; }

    /// <summary>What it carries.</summary>
    public IpProtocol Protocol { get; init; }

    /// <summary>From whom.</summary>
    public IpAddress Source { get; init; }

    /// <summary>To whom.</summary>
    public IpAddress Destination { get; init; }

    /// <summary>Whether it is one of several fragments.</summary>
    public bool IsFragment => MoreFragments || FragmentOffset != 0;

    /// <summary>Reads and checks a header: version, lengths against the bytes there are, checksum.</summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, out Ipv4Header header)
    {
        header = default;
        if (packet.Length < MinLength || packet[0] >> 4 != 4)
        {
            return false;
        }

        int headerLength = (packet[0] & 0xf) * 4;
        int totalLength = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (headerLength < MinLength || totalLength < headerLength || headerLength > packet.Length || InternetChecksum.Of(packet[..headerLength]) != 0)
        {
            return false;
        }

        ushort fragment = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        header = new Ipv4Header
        {
            HeaderLength = headerLength,
            TotalLength = totalLength,
            TypeOfService = packet[1],
            Identification = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]),
            DontFragment = (fragment & DontFragmentBit) != 0,
            MoreFragments = (fragment & MoreFragmentsBit) != 0,
            FragmentOffset = (fragment & OffsetMask) * 8,
            TimeToLive = packet[8],
            Protocol = (IpProtocol)packet[9],
            Source = IpAddress.FromBytes(packet.Slice(12, 4)),
            Destination = IpAddress.FromBytes(packet.Slice(16, 4)),
        };
        return true;
    }

    /// <summary>Writes the header with its checksum. Options, if <see cref="HeaderLength"/> has room for them, are in place already.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)(0x40 | (HeaderLength / 4));
        destination[1] = TypeOfService;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)TotalLength);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], Identification);
        int fragment = (DontFragment ? DontFragmentBit : 0) | (MoreFragments ? MoreFragmentsBit : 0) | (FragmentOffset / 8);
        BinaryPrimitives.WriteUInt16BigEndian(destination[6..], (ushort)fragment);
        destination[8] = TimeToLive;
        destination[9] = (byte)Protocol;
        destination[10..12].Clear();
        Source.WriteTo(destination[12..]);
        Destination.WriteTo(destination[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination[10..], InternetChecksum.Of(destination[..HeaderLength]));
    }
}
