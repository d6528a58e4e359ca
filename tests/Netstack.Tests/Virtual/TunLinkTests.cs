using System.Buffers.Binary;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Virtual;

/// <summary>What a program reads from a TUN or TAP interface.</summary>
public sealed class TunLinkTests : ITunReader
{
    private static readonly IpAddress s_source = IpAddress.FromV4(0xc633_6401);
    private static readonly IpAddress s_destination = IpAddress.FromV4(0xc633_6402);

    private readonly VirtualNetwork _network = new();
    private int _told;

    void ITunReader.OnReadable() => _told++;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LargePacket_IsCutIntoSegmentsWithChecksums(bool isTap)
    {
        TunLink link = Open(isTap);
        int linkLength = isTap ? EthernetHeader.Length : 0;
        link.Transmit(MakeTcp(isTap, 2500, 1000));
        Assert.True(_told > 0);
        for (int i = 0; i < 3; i++)
        {
            Packet segment = link.Take()!;
            int payload = i < 2 ? 1000 : 500;
            Assert.Equal(linkLength + 40 + payload, segment.Length);
            segment.Pull(linkLength);
            Assert.True(Ipv4Header.TryParse(segment.Linear, out Ipv4Header ip));
            Assert.Equal(40 + payload, ip.TotalLength);
            Assert.Equal(0, InternetChecksum.Of(segment.Linear[..20]));
            Assert.True(TcpHeader.TryParse(segment.Linear[20..], out TcpHeader tcp));
            Assert.Equal(100u + (1000u * (uint)i), tcp.Sequence.Value);
            Assert.Equal(i == 2, (tcp.Flags & TcpFlags.FIN) != 0);
            InternetChecksum checksum = InternetChecksum.OfPseudoHeader(s_source, s_destination, IpProtocol.Tcp, 20 + payload);
            segment.AddTo(ref checksum, 20);
            Assert.Equal(0, checksum.Value);
            Assert.Equal((byte)((1000 * i) % 251), segment.Linear[40]);
            segment.Release();
        }

        Assert.Null(link.Take());
        Assert.Equal(0, _network.Pool.Frames.Rented + _network.Pool.Medium.Rented);
    }

    [Fact]
    public void SmallPacket_GetsItsChecksum()
    {
        TunLink link = Open(isTap: false);
        link.Transmit(MakeTcp(isTap: false, 10, 0));
        Packet packet = link.Take()!;
        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(s_source, s_destination, IpProtocol.Tcp, 30);
        packet.AddTo(ref checksum, 20);
        Assert.Equal(0, checksum.Value);
        packet.Release();
    }

    [Fact]
    public void Queue_HasALimit_AndIsEmptiedByWhoLeaves()
    {
        TunLink link = Open(isTap: false);
        for (int i = 0; i < 600; i++)
        {
            link.Transmit(MakeTcp(isTap: false, 10, 0));
        }

        Assert.Equal(500, _network.Pool.Small.Rented);
        Assert.Equal(100, link.Interface!.Statistics.SendDropped);
        Assert.False(link.TryTake(this));
        link.Leave();
        Assert.Equal(0, _network.Pool.Small.Rented);
        Assert.True(link.TryTake(this));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 13)]
    public void PacketWithoutItsHeader_IsDropped(bool isTap, int length)
    {
        TunLink link = Open(isTap);
        Packet packet = _network.Pool.Rent(length);
        _ = packet.Append(length);
        link.Interface!.SendRaw(packet);
        Assert.Null(link.Take());
        Assert.Equal(0, _network.Pool.Small.Rented);
    }

    [Fact]
    public void DeletedInterface_IsGoneForItsReader()
    {
        TunLink link = Open(isTap: true);
        NetworkInterface owner = link.Interface!;
        owner.Stack.Delete(owner);
        Assert.True(link.HasGone);
        Assert.False(link.TryTake(this));
    }

    private TunLink Open(bool isTap)
    {
        NetworkStack stack = _network.AddStack();
        stack.DisablesV6ByDefault = true;
        TunLink link = new(isTap, isTap ? VirtualLink.RandomAddress(_network) : default);
        VirtualNetwork.Up(stack, "t", link);
        Assert.True(link.TryTake(this));
        return link;
    }

    // As it comes over a virtual link: nobody has computed its checksum.
    private Packet MakeTcp(bool isTap, int payload, int segmentSize)
    {
        Packet packet = _network.Pool.Rent(payload + 54);
        if (isTap)
        {
            new EthernetHeader(EthernetAddress.Broadcast, new EthernetAddress(0x0200_0000_0001), EtherType.Ipv4).Write(packet.Append(EthernetHeader.Length));
        }

        Span<byte> bytes = packet.Append(40 + payload);
        bytes.Clear();
        new Ipv4Header { HeaderLength = 20, TotalLength = 40 + payload, TimeToLive = 64, Protocol = IpProtocol.Tcp, Source = s_source, Destination = s_destination }.Write(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], 100);
        bytes[32] = 5 << 4;
        bytes[33] = (byte)(TcpFlags.FIN | TcpFlags.ACK);
        for (int i = 0; i < payload; i++)
        {
            bytes[40 + i] = (byte)(i % 251);
        }

        packet.SegmentSize = segmentSize;
        packet.Checksum = ChecksumState.Verified;
        return packet;
    }
}
