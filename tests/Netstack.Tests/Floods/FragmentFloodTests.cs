using Moat.Netstack.Ip;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>Fragments of which no packet becomes.</summary>
public sealed class FragmentFloodTests
{
    private const long Margin = 2 << 20; // what a transfer holds beside

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NeverCompleted_AreBounded_AndRunOut(bool isV6)
    {
        using Attack attack = new();
        byte[] payload = new byte[1400];
        attack.Run(
            i => attack.Deliver(isV6 ? FragmentV6(attack, (uint)i, 8, more: true, payload) : attack.PacketV4(Somebody(i >> 12), IpProtocol.Udp, payload, (ushort)i, offset: 8, more: true)),
            strikes: 20_000,
            perStep: 200);
        Assert.InRange(attack.MostHeld, Reassembly.MaxBytes / 2, Reassembly.MaxBytes + Margin); // it was filled, and no more
        Assert.InRange(attack.Stack.CountUnfinished(isV6).Bytes, Reassembly.MaxBytes / 2, Reassembly.MaxBytes);
        Assert.Equal((0, 0L), attack.Stack.CountUnfinished(!isV6));
        attack.Pair.Wait(40_000);
        Assert.Equal((0, 0L), attack.Stack.CountUnfinished(isV6));
        Assert.InRange(attack.Stack.Memory.HeldBytes, 0, Margin / 2);
    }

    [Fact]
    public void TinyOnes_OfOnePacket_AreBounded()
    {
        using Attack attack = new();
        byte[] payload = new byte[8];
        attack.Run(i => attack.Deliver(attack.PacketV4(Somebody(i / 8000), IpProtocol.Udp, payload, 7, offset: 8 * (1 + (i % 8000)), more: true)), strikes: 40_000, perStep: 400);
        Assert.InRange(attack.MostHeld, 0, Reassembly.MaxBytes + Margin);
    }

    [Fact]
    public void Overlapping_SpoilTheirPacket()
    {
        using Attack attack = new();
        using UdpSocket socket = new(attack.Stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, socket.Bind(new IpEndpoint(ConnectedPair.RightAddress, 53)));
        byte[] datagram = new byte[64];
        Convert.FromHexString("c350003500400000").CopyTo(datagram, 0);
        attack.Run(
            i =>
            {
                IpAddress source = Somebody(i);
                attack.Deliver(attack.PacketV4(source, IpProtocol.Udp, datagram.AsSpan(0, 32), 1, more: true));
                attack.Deliver(attack.PacketV4(source, IpProtocol.Udp, datagram.AsSpan(24), 1, offset: 24)); // eight bytes are there twice
            },
            strikes: 5000,
            perStep: 100);
        SpanSink sink = new(new byte[100]);
        Assert.Equal(NetError.WouldBlock, socket.Receive(ref sink, peek: false, out _));
        Assert.InRange(attack.MostHeld, 0, Margin);

        // One that is right is taken, in any order.
        attack.Deliver(attack.PacketV4(Somebody(1), IpProtocol.Udp, datagram.AsSpan(32), 9, offset: 32));
        attack.Deliver(attack.PacketV4(Somebody(1), IpProtocol.Udp, datagram.AsSpan(0, 32), 9, more: true));
        Assert.Equal(NetError.None, socket.Receive(ref sink, peek: false, out _));
    }

    private static byte[] FragmentV6(Attack attack, uint identification, int offset, bool more, byte[] payload)
    {
        byte[] bytes = new byte[Ipv6Fragment.Length + payload.Length];
        new Ipv6Fragment(IpProtocol.Udp, offset, more, identification).Write(bytes);
        payload.CopyTo(bytes, Ipv6Fragment.Length);
        return attack.PacketV6(IpAddress.Parse("2001:db8::666"), IpProtocol.Fragment, bytes);
    }

    private static IpAddress Somebody(int i) => IpAddress.FromV4(0xc612_0000u + (uint)i);
}
