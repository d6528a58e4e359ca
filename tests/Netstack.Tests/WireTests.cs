using CsCheck;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>Headers survive the way through bytes, hostile bytes do not throw, and what is written is what Linux writes.</summary>
public sealed class WireTests
{
    private static readonly Gen<IpAddress> s_v4 = Gen.UInt.Select(IpAddress.FromV4);

    [Fact]
    public void Tcp_ParseOfWrite_IsTheSame() =>
        Gen.Select(Gen.UShort, Gen.UShort, Gen.UInt, Gen.UInt, Gen.Int[5, 15], Gen.Byte, Gen.UShort, Gen.UShort).Sample(static (source, destination, sequence, acknowledgment, words, flags, window, urgent) =>
        {
            TcpHeader header = new()
            {
                SourcePort = source,
                DestinationPort = destination,
                Sequence = new SequenceNumber(sequence),
                Acknowledgment = new SequenceNumber(acknowledgment),
                HeaderLength = words * 4,
                Flags = (TcpFlags)flags,
                Window = window,
                UrgentPointer = urgent,
            };
            byte[] bytes = new byte[TcpHeader.MaxLength];
            header.Write(bytes);
            Assert.True(TcpHeader.TryParse(bytes, out TcpHeader parsed));
            Assert.Equal(header, parsed);
        });

    [Fact]
    public void TcpOptions_ParseOfWrite_IsTheSame() =>
        Gen.Select(Gen.UShort[1, 65535], Gen.Int[-1, 14], Gen.Bool, Gen.Bool, Gen.UInt, Gen.UInt).Sample(static (mss, scale, sack, hasTimestamps, value, echo) =>
        {
            TcpOptions options = new() { MaxSegmentSize = mss, WindowScale = scale < 0 ? null : (byte)scale, SackPermitted = sack, HasTimestamps = hasTimestamps };
            (options.TimestampValue, options.TimestampEcho) = hasTimestamps ? (value, echo) : (0, 0);
            byte[] bytes = new byte[options.Length];
            options.Write(bytes);
            TcpOptions parsed = TcpOptions.Parse(bytes, isSyn: true);
            Assert.Equal(0, bytes.Length % 4);
            Assert.Equal((options.MaxSegmentSize, options.WindowScale, options.SackPermitted), (parsed.MaxSegmentSize, parsed.WindowScale, parsed.SackPermitted));
            Assert.Equal((options.HasTimestamps, options.TimestampValue, options.TimestampEcho), (parsed.HasTimestamps, parsed.TimestampValue, parsed.TimestampEcho));
        });

    [Fact]
    public void TcpOptions_SackBlocks_AreTheSame() =>
        Gen.Select(Gen.Bool, Gen.Select(Gen.UInt, Gen.UInt).Array[0, 6]).Sample(static (hasTimestamps, blocks) =>
        {
            TcpOptions options = new() { HasTimestamps = hasTimestamps };
            int added = 0;
            foreach ((uint left, uint right) in blocks)
            {
                added += options.TryAddSack(new SackBlock(new SequenceNumber(left), new SequenceNumber(right))) ? 1 : 0;
            }

            byte[] bytes = new byte[options.Length];
            options.Write(bytes);
            TcpOptions parsed = TcpOptions.Parse(bytes, isSyn: false);
            Assert.Equal(Math.Min(blocks.Length, hasTimestamps ? 3 : 4), added);
            Assert.Equal(added, parsed.SackCount);
            for (int i = 0; i < added; i++)
            {
                Assert.Equal(options.Sack(i), parsed.Sack(i));
            }
        });

    [Fact]
    public void Ip_ParseOfWrite_IsTheSame()
    {
        Gen.Select(s_v4, s_v4, Gen.Int[20, 1500], Gen.Byte, Gen.UShort, Gen.Bool, Gen.Byte).Sample(static (source, destination, length, ttl, identification, fragment, tos) =>
        {
            Ipv4Header header = new()
            {
                HeaderLength = Ipv4Header.MinLength,
                TotalLength = length,
                TypeOfService = tos,
                Identification = identification,
                DontFragment = fragment,
                TimeToLive = ttl,
                Protocol = IpProtocol.Udp,
                Source = source,
                Destination = destination,
            };
            byte[] bytes = new byte[length];
            header.Write(bytes);
            Assert.True(Ipv4Header.TryParse(bytes, out Ipv4Header parsed));
            Assert.Equal(header, parsed);
            Assert.Equal(0, InternetChecksum.Of(bytes.AsSpan(0, Ipv4Header.MinLength)));
        });
        Gen.Select(Gen.UShort[0, 1000], Gen.Byte, Gen.Byte).Sample(static (length, hops, traffic) =>
        {
            Ipv6Header header = new() { PayloadLength = length, TrafficClass = traffic, NextHeader = IpProtocol.Tcp, HopLimit = hops, Source = IpAddress.LoopbackV6, Destination = IpAddress.LoopbackV6 };
            byte[] bytes = new byte[Ipv6Header.Length + length];
            header.Write(bytes);
            Assert.True(Ipv6Header.TryParse(bytes, out Ipv6Header parsed));
            Assert.Equal(header, parsed);
        });
    }

    [Fact]
    public void Parsers_OfAnyBytes_DoNotThrow() =>
        Gen.Byte.Array[0, 128].Sample(static bytes =>
        {
            _ = TcpHeader.TryParse(bytes, out _);
            _ = TcpOptions.Parse(bytes, isSyn: true);
            _ = TcpOptions.Parse(bytes, isSyn: false);
            _ = UdpHeader.TryParse(bytes, bytes.Length, out _);
            _ = Ipv4Header.TryParse(bytes, out _);
            _ = Ipv6Header.TryParse(bytes, out _);
            _ = Ipv6Fragment.TryParse(bytes, out _);
            _ = IcmpHeader.TryParse(bytes, out _);
            _ = ArpPacket.TryParse(bytes, out _);
            _ = EthernetHeader.TryParse(bytes, out _);
        });

    [Fact]
    public void Checksum_IsThatOfASimpleLoop() =>
        Gen.Byte.Array[0, 300].Sample(static bytes =>
        {
            uint sum = 0;
            for (int i = 0; i < bytes.Length; i++)
            {
                sum += i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i];
            }

            while (sum > 0xffff)
            {
                sum = (sum & 0xffff) + (sum >> 16);
            }

            Assert.Equal((ushort)~sum, InternetChecksum.Of(bytes));
        });

    // As Linux orders them: segment size, selective acknowledgment, timestamps, padding, window scale.
    [Fact]
    public void TcpOptions_OfASyn_AreLinuxs()
    {
        TcpOptions options = new() { MaxSegmentSize = 1460, SackPermitted = true, HasTimestamps = true, TimestampValue = 0x01020304, WindowScale = 7 };
        byte[] bytes = new byte[options.Length];
        options.Write(bytes);
        Assert.Equal(Convert.FromHexString("020405b4" + "0402" + "080a0102030400000000" + "01030307"), bytes);
    }

    [Fact]
    public void TcpOptions_OfAnAcknowledgment_AreLinuxs()
    {
        TcpOptions options = new() { HasTimestamps = true, TimestampValue = 1, TimestampEcho = 2 };
        _ = options.TryAddSack(new SackBlock(new SequenceNumber(3), new SequenceNumber(4)));
        byte[] bytes = new byte[options.Length];
        options.Write(bytes);
        Assert.Equal(Convert.FromHexString("0101080a0000000100000002" + "0101050a0000000300000004"), bytes);
    }
}
