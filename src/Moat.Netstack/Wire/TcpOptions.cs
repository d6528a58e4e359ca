using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Moat.Netstack.Wire;

/// <summary>The options of a segment: maximum segment size (RFC 9293), window scale and timestamps (RFC 7323), selective acknowledgment (RFC 2018).</summary>
public struct TcpOptions
{
    /// <summary>The most SACK blocks that fit.</summary>
    public const int MaxSackBlocks = 4;

    /// <summary>The largest shift of a window (RFC 7323 section 2.3).</summary>
    public const byte MaxWindowScale = 14;

    private const byte KindEnd = 0;
    private const byte KindNop = 1;
    private const byte KindMss = 2;
    private const byte KindWindowScale = 3;
    private const byte KindSackPermitted = 4;
    private const byte KindSack = 5;
    private const byte KindTimestamps = 8;

    private SackBlocks _sacks;

    /// <summary>The maximum segment size, or 0 if the option is not there. Only SYN segments have it.</summary>
    public ushort MaxSegmentSize { get; set; }

    /// <summary>The shift of windows, or null. Only SYN segments have it.</summary>
    public byte? WindowScale { get; set; }

    /// <summary>Whether selective acknowledgments are welcome. Only SYN segments have it.</summary>
    public bool SackPermitted { get; set; }

    /// <summary>Whether the timestamps are there.</summary>
    public bool HasTimestamps { get; set; }

    /// <summary>The sender's clock.</summary>
    public uint TimestampValue { get; set; }

    /// <summary>The last clock value that the sender had from its peer.</summary>
    public uint TimestampEcho { get; set; }

    /// <summary>How many SACK blocks there are.</summary>
    public int SackCount { get; private set; }

    /// <summary>Bytes that <see cref="Write"/> writes: a multiple of four.</summary>
    public readonly int Length =>
        (MaxSegmentSize != 0 ? 4 : 0) + (WindowScale is not null ? 4 : 0) + (SackPermitted && !HasTimestamps ? 4 : 0) + (HasTimestamps ? 12 : 0) + (SackCount > 0 ? 4 + (8 * SackCount) : 0);

    /// <summary>One of the SACK blocks.</summary>
    public readonly SackBlock Sack(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)SackCount);
        return _sacks[index];
    }

    /// <summary>Adds a SACK block; false if there is no room.</summary>
    public bool TryAddSack(SackBlock block)
    {
        if (SackCount == MaxSackBlocks || Length + (SackCount == 0 ? 12 : 8) > TcpHeader.MaxLength - TcpHeader.MinLength)
        {
            return false;
        }

        _sacks[SackCount++] = block;
        return true;
    }

    /// <summary>Reads the option bytes of a header; what is malformed ends the reading and what stood before it counts, as in Linux. Unknown options are passed over.</summary>
    /// <param name="bytes">From behind the fixed header to the end of the header.</param>
    /// <param name="isSyn">Whether the segment has SYN: some options count only there.</param>
    public static TcpOptions Parse(ReadOnlySpan<byte> bytes, bool isSyn)
    {
        TcpOptions options = default;
        while (!bytes.IsEmpty)
        {
            byte kind = bytes[0];
            if (kind == KindEnd)
            {
                break;
            }

            if (kind == KindNop)
            {
                bytes = bytes[1..];
                continue;
            }

            if (bytes.Length < 2 || bytes[1] < 2 || bytes[1] > bytes.Length)
            {
                break;
            }

            ReadOnlySpan<byte> option = bytes[..bytes[1]];
            options.ParseOne(kind, option, isSyn);
            bytes = bytes[option.Length..];
        }

        return options;
    }

    /// <summary>Writes <see cref="Length"/> bytes, in the order in which Linux writes them.</summary>
    public readonly void Write(Span<byte> destination)
    {
        int at = 0;
        if (MaxSegmentSize != 0)
        {
            destination[0] = KindMss;
            destination[1] = 4;
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], MaxSegmentSize);
            at = 4;
        }

        if (HasTimestamps || SackPermitted)
        {
            destination[at++] = SackPermitted ? KindSackPermitted : KindNop;
            destination[at++] = SackPermitted ? (byte)2 : KindNop;
        }

        if (HasTimestamps)
        {
            destination[at++] = KindTimestamps;
            destination[at++] = 10;
            BinaryPrimitives.WriteUInt32BigEndian(destination[at..], TimestampValue);
            BinaryPrimitives.WriteUInt32BigEndian(destination[(at + 4)..], TimestampEcho);
            at += 8;
        }
        else if (SackPermitted)
        {
            destination[at++] = KindNop;
            destination[at++] = KindNop;
        }

        if (WindowScale is { } scale)
        {
            destination[at++] = KindNop;
            destination[at++] = KindWindowScale;
            destination[at++] = 3;
            destination[at++] = scale;
        }

        if (SackCount > 0)
        {
            destination[at++] = KindNop;
            destination[at++] = KindNop;
            destination[at++] = KindSack;
            destination[at++] = (byte)(2 + (8 * SackCount));
            for (int i = 0; i < SackCount; i++, at += 8)
            {
                BinaryPrimitives.WriteUInt32BigEndian(destination[at..], _sacks[i].Left.Value);
                BinaryPrimitives.WriteUInt32BigEndian(destination[(at + 4)..], _sacks[i].Right.Value);
            }
        }
    }

    private void ParseOne(byte kind, ReadOnlySpan<byte> option, bool isSyn)
    {
        switch (kind)
        {
            case KindMss when option.Length == 4 && isSyn:
                MaxSegmentSize = BinaryPrimitives.ReadUInt16BigEndian(option[2..]);
                break;
            case KindWindowScale when option.Length == 3 && isSyn:
                WindowScale = Math.Min(option[2], MaxWindowScale);
                break;
            case KindSackPermitted when option.Length == 2 && isSyn:
                SackPermitted = true;
                break;
            case KindTimestamps when option.Length == 10:
                HasTimestamps = true;
                TimestampValue = BinaryPrimitives.ReadUInt32BigEndian(option[2..]);
                TimestampEcho = BinaryPrimitives.ReadUInt32BigEndian(option[6..]);
                break;
            case KindSack when !isSyn && option.Length >= 10 && (option.Length - 2) % 8 == 0:
                for (int at = 2; at < option.Length && SackCount < MaxSackBlocks; at += 8)
                {
                    _sacks[SackCount++] = new SackBlock(
                        new SequenceNumber(BinaryPrimitives.ReadUInt32BigEndian(option[at..])),
                        new SequenceNumber(BinaryPrimitives.ReadUInt32BigEndian(option[(at + 4)..])));
                }

                break;
        }
    }

    [InlineArray(MaxSackBlocks)]
    private struct SackBlocks
    {
        private SackBlock _first;
    }
}
