using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>A TCP header without its options (RFC 9293 section 3.1).</summary>
public readonly record struct TcpHeader
{
    /// <summary>Bytes without options.</summary>
    public const int MinLength = 20;

    /// <summary>Bytes with all the options there is room for.</summary>
    public const int MaxLength = 60;

    /// <summary>Where the checksum stands.</summary>
    public const int ChecksumOffset = 16;

    /// <summary>From which port.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>To which port.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>Of the first byte, or of the SYN.</summary>
    public SequenceNumber Sequence { get; init; }

    /// <summary>What the sender expects next.</summary>
    public SequenceNumber Acknowledgment { get; init; }

    /// <summary>Bytes of the header with its options: a multiple of four.</summary>
    public int HeaderLength { get; init; }

    /// <summary>The control bits.</summary>
    public TcpFlags Flags { get; init; }

    /// <summary>The window as it stands in the header, not scaled.</summary>
    public ushort Window { get; init; }

    /// <summary>The urgent pointer.</summary>
    public ushort UrgentPointer { get; init; }

    /// <summary>Reads a header; false if there are fewer bytes than it says. The checksum is the caller's to verify, the options are <see cref="TcpOptions"/>'s to read.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TcpHeader header)
    {
        header = default;
        if (bytes.Length < MinLength)
        {
            return false;
        }

        header = new TcpHeader
        {
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Sequence = new SequenceNumber(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])),
            Acknowledgment = new SequenceNumber(BinaryPrimitives.ReadUInt32BigEndian(bytes[8..])),
            HeaderLength = (bytes[12] >> 4) * 4,
            Flags = (TcpFlags)bytes[13],
            Window = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]),
            UrgentPointer = BinaryPrimitives.ReadUInt16BigEndian(bytes[18..]),
        };
        return header.HeaderLength >= MinLength && header.HeaderLength <= bytes.Length;
    }

    /// <summary>Writes the header with a checksum field of 0. Options, if <see cref="HeaderLength"/> has room for them, are the caller's.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], DestinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Sequence.Value);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Acknowledgment.Value);
        destination[12] = (byte)(HeaderLength / 4 << 4);
        destination[13] = (byte)Flags;
        BinaryPrimitives.WriteUInt16BigEndian(destination[14..], Window);
        destination[ChecksumOffset..18].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination[18..], UrgentPointer);
    }
}
