using System.Buffers.Binary;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>Errors that somebody makes up (RFC 5927), and errors that somebody makes this host send.</summary>
public sealed class IcmpFloodTests
{
    private const byte Unreachable = 3;
    private static readonly byte[] s_codes = [0, 1, 2, 3, 4, 5, 13];

    [Fact]
    public void ErrorsAboutNothingInFlight_ChangeNothing()
    {
        using Attack attack = new();
        Random random = new(5);
        attack.Run(i => attack.Deliver(Error(attack, s_codes[i % s_codes.Length], mtu: 68, new SequenceNumber((uint)random.NextInt64(1L << 32)))), strikes: 10_000, perStep: 100);
        Assert.Equal(TcpState.Established, attack.Pair.Accepted.State);
        Assert.Equal(1448, attack.Pair.Accepted.SegmentSize);
        Assert.Equal(NetError.None, attack.Pair.Accepted.TakeError());
    }

    [Fact]
    public void ErrorsAboutWhatIsInFlight_DoNotEndAConnection()
    {
        using Attack attack = new();
        byte[] codes = [.. s_codes.Where(static code => code != 4)];
        attack.Run(i => attack.Deliver(Error(attack, codes[i % codes.Length], 0, attack.LastSentEnd - 1)), strikes: 20_000, perStep: 5);
        Assert.Equal(TcpState.Established, attack.Pair.Accepted.State);
        Assert.Equal(1448, attack.Pair.Accepted.SegmentSize);
    }

    [Fact]
    public void PathMtu_ThatIsMadeUp_IsNotSmallerThanWaysAre()
    {
        using Attack attack = new();
        attack.Run(i => attack.Deliver(Error(attack, 4, (ushort)(i % 600), attack.LastSentEnd - 1)), strikes: 20_000, perStep: 5);
        Assert.Equal(552 - Ipv4Header.MinLength - 32, attack.Pair.Accepted.SegmentSize); // min_pmtu, without the headers and timestamps
    }

    [Fact]
    public void DatagramsForNobody_AreComplainedOfSeldom()
    {
        using Attack attack = new();
        int errors = 0;
        attack.OnSent = frame => errors += frame.Length > 34 && frame[12] == 8 && frame[13] == 0 && frame[23] == (byte)IpProtocol.Icmp ? 1 : 0;
        byte[] datagram = Convert.FromHexString("c350003600080000");
        long start = attack.Pair.Network.NowNs;
        attack.Run(i => attack.Deliver(attack.PacketV4(IpAddress.FromV4(0xc612_0000u + (uint)i), IpProtocol.Udp, datagram)), strikes: 20_000, perStep: 500);
        double seconds = (attack.Pair.Network.NowNs - start) / 1e9;
        Assert.InRange(errors, 50, 51 + (1000 * seconds));
        Assert.InRange(errors, 1, 19_000);
    }

    // About a segment of the attacked host's to its peer.
    private static byte[] Error(Attack attack, byte code, ushort mtu, SequenceNumber sequence)
    {
        byte[] message = new byte[IcmpHeader.Length + Ipv4Header.MinLength + 8];
        (message[0], message[1]) = (Unreachable, code);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), mtu);
        Span<byte> quoted = message.AsSpan(IcmpHeader.Length);
        new Ipv4Header
        {
            HeaderLength = Ipv4Header.MinLength,
            TotalLength = 1500,
            DontFragment = true,
            TimeToLive = 1,
            Protocol = IpProtocol.Tcp,
            Source = ConnectedPair.RightAddress,
            Destination = ConnectedPair.LeftAddress,
        }.Write(quoted);
        BinaryPrimitives.WriteUInt16BigEndian(quoted[20..], attack.Pair.Accepted.Local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(quoted[22..], attack.Pair.Client.Local.Port);
        BinaryPrimitives.WriteUInt32BigEndian(quoted[24..], sequence.Value);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), InternetChecksum.Of(message));
        return attack.PacketV4(IpAddress.Parse("198.18.9.9"), IpProtocol.Icmp, message);
    }
}
