using Moat.Netstack.Neighbors;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>More neighbours than a link has room for.</summary>
public sealed class NeighborFloodTests
{
    private const long MaxHeld = 4 << 20;

    [Fact]
    public void Arp_TableIsBounded_AndWhoIsInUseStays()
    {
        using Attack attack = new();
        int asked = 0;
        attack.OnSent = frame => asked += frame[12] == 8 && frame[13] == 6 && frame[21] == ArpPacket.Request ? 1 : 0;
        attack.Run(
            i =>
            {
                byte[] frame = attack.NewFrame(EtherType.Arp, ArpPacket.Length);
                new ArpPacket(ArpPacket.Request, new EthernetAddress(0x0200_1000_0000 + (ulong)i), IpAddress.FromV4(0xc612_0000u + (uint)i), default, ConnectedPair.RightAddress).Write(frame.AsSpan(EthernetHeader.Length));
                attack.Deliver(frame);
            },
            strikes: 20_000,
            perStep: 200);
        Check(attack, ConnectedPair.LeftAddress, attack.Pair.LeftLink.Address);
        Assert.Equal(0, asked);
    }

    [Fact]
    public void NeighborDiscovery_TableIsBounded_AndWhoIsInUseStays()
    {
        using Attack attack = new();
        IpAddress left = IpAddress.Parse("2001:db8::1");
        using UdpSocket socket = new(attack.Stack.Udp, isV6: true, new NoObserver());
        void Talk()
        {
            SpanSource source = new([1]);
            Assert.Equal(NetError.None, socket.Send(ref source, new IpEndpoint(left, 9), default, out _));
        }

        Talk();
        attack.Pair.Wait(100);
        attack.Run(
            i =>
            {
                byte[] from = Convert.FromHexString("20010db8000000000000000100000000");
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(from.AsSpan(12), i);
                attack.Deliver(Solicitation(attack, IpAddress.FromBytes(from), new EthernetAddress(0x0200_1000_0000 + (ulong)i)));
                if (i % 1000 == 0)
                {
                    Talk();
                }
            },
            strikes: 20_000,
            perStep: 200);
        Check(attack, left, attack.Pair.LeftLink.Address);
    }

    /// <summary>A program of the host's own asks for more than there are, none of whom answers.</summary>
    [Fact]
    public void Scan_TableIsBounded_AndWhatWaitsToo()
    {
        using Attack attack = new();
        using UdpSocket socket = new(attack.Stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, attack.Stack.Routes.Add(new Routing.Route(IpAddress.Parse("198.18.0.0"), 16, attack.Victim.Index)));
        attack.Run(
            i =>
            {
                SpanSource source = new(new byte[1000]);
                _ = socket.Send(ref source, new IpEndpoint(IpAddress.FromV4(0xc612_0000u + (uint)(i / 4)), 9), default, out _);
            },
            strikes: 40_000,
            perStep: 200);
        Assert.InRange(attack.Victim.Neighbors!.List.Count, 1, NeighborTable.MaxNeighbors);
        attack.Pair.Wait(20_000);
        Assert.InRange(attack.Stack.Memory.HeldBytes, 0, 1 << 20);
        Assert.All(attack.Victim.Neighbors!.List, neighbor => Assert.True(neighbor.State is NeighborState.Failed || neighbor.Address == ConnectedPair.LeftAddress, $"{neighbor.Address}: {neighbor.State}"));
    }

    private static void Check(Attack attack, IpAddress address, EthernetAddress hardware)
    {
        IReadOnlyList<Neighbor> neighbors = attack.Victim.Neighbors!.List;
        Assert.Equal(NeighborTable.MaxNeighbors, neighbors.Count);
        Assert.Equal(hardware, Assert.Single(neighbors, neighbor => neighbor.Address == address).Hardware);
        Assert.InRange(attack.MostHeld, 0, MaxHeld);
    }

    private static byte[] Solicitation(Attack attack, IpAddress source, EthernetAddress hardware)
    {
        byte[] message = new byte[32];
        message[0] = 135;
        Attack.RightV6.WriteV6To(message.AsSpan(8));
        (message[24], message[25]) = (1, 1);
        hardware.WriteTo(message.AsSpan(26));
        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(source, Attack.RightV6, IpProtocol.IcmpV6, message.Length);
        checksum.Add(message);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), checksum.Value);
        return attack.PacketV6(source, IpProtocol.IcmpV6, message);
    }
}
