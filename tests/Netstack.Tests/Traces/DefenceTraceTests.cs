using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Floods;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Traces;

/// <summary>What connections say to segments and errors that do not fit, and how they find out what a way carries. What somebody else puts on the wire is a remark.</summary>
public sealed class DefenceTraceTests
{
    private readonly PacketTrace _trace = new();

    [Fact]
    public void SynCookie_StandsForWhatIsForgotten()
    {
        using Attack attack = new(_trace);
        attack.Pair.Listener.Listen(1);
        for (int i = 0; i < 20; i++)
        {
            attack.Deliver(attack.Segment(new IpEndpoint(IpAddress.FromV4(0xc612_0000u + (uint)i), 5000), 80, TcpFlags.SYN, new SequenceNumber(1000)));
        }

        attack.Pair.Wait(10);
        _trace.Clear();
        _trace.Say("twenty half open connections, where eight have room");
        using TcpSocket client = new(attack.Pair.Left.Tcp, isV6: false, new NoObserver());
        client.Connect(attack.Pair.Listener.Local);
        attack.Pair.Wait(12);
        client.Send(new byte[100], out _);
        attack.Pair.Wait(200);
        Assert.Equal(TcpState.Established, client.State);
        Check();
    }

    [Fact]
    public void TimestampsThatAreOld_AreRefused()
    {
        using Attack attack = Quiet();
        SequenceNumber next = attack.AfterSending(100, 500);
        byte[] options = [1, 1, 8, 10, .. new byte[8]];
        BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(4), attack.LastEcho - 1000);
        _trace.Say("ten bytes in order, a second older than what has come");
        attack.Deliver(attack.Segment(attack.Pair.Client.Local, 80, TcpFlags.ACK, next, attack.LastSentEnd, payloadLength: 10, options: options));
        attack.Pair.Wait(100);
        Assert.Equal(100, attack.Pair.Accepted.AvailableBytes);
        BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(4), attack.LastEcho + 1000);
        _trace.Say("the same, newer");
        attack.Deliver(attack.Segment(attack.Pair.Client.Local, 80, TcpFlags.ACK, next, attack.LastSentEnd, payloadLength: 10, options: options));
        attack.Pair.Wait(100);
        Assert.Equal(110, attack.Pair.Accepted.AvailableBytes);
        Check();
    }

    [Fact]
    public void ResetsAndSyns_InTheWindow_AreChallenged()
    {
        using Attack attack = Quiet();
        SequenceNumber next = attack.AfterSending(100, 500);
        void Forge(string remark, TcpFlags flags, SequenceNumber sequence, SequenceNumber acknowledgment = default)
        {
            _trace.Say(remark);
            attack.Deliver(attack.Segment(attack.Pair.Client.Local, 80, flags, sequence, acknowledgment));
            attack.Pair.Wait(300);
        }

        Forge("a reset one byte too far", TcpFlags.RST, next + 1);
        Forge("and another, too soon", TcpFlags.RST, next + 2);
        Forge("a SYN, 600 ms later", TcpFlags.SYN, next + 1000);
        Forge("a reset outside of the window", TcpFlags.RST, next - 1000);
        Forge("an acknowledgment of what was never sent", TcpFlags.ACK, next, attack.LastSentEnd + 100_000);
        Assert.Equal(TcpState.Established, attack.Pair.Accepted.State);
        Forge("a reset that fits", TcpFlags.RST, next);
        Assert.Equal(TcpState.Closed, attack.Pair.Accepted.State);
        Check();
    }

    [Fact]
    public void PathMtu_IsFoundOut()
    {
        const int RouterMtu = 1000;
        using Attack attack = Quiet();
        attack.Pair.LeftLink.Drops = frame =>
        {
            int length = frame.Length - EthernetHeader.Length;
            if (length > RouterMtu)
            {
                _trace.Say($"a router: {length} bytes are too many, {RouterMtu} go");
                attack.Pair.Network.Send(attack.Pair.LeftLink, TooBig(attack, frame, RouterMtu), delayNs: 1_000_000);
            }

            return length > RouterMtu;
        };
        attack.Pair.Client.Send(new byte[5000], out _);
        attack.Pair.Wait(500);
        Assert.Equal(5000, attack.Pair.Accepted.AvailableBytes);
        Check();
    }

    // From the gateway, with the packet's first bytes.
    private static byte[] TooBig(Attack attack, byte[] about, ushort mtu)
    {
        ReadOnlySpan<byte> quoted = about.AsSpan(EthernetHeader.Length, Ipv4Header.MinLength + 8);
        byte[] frame = new byte[EthernetHeader.Length + Ipv4Header.MinLength + IcmpHeader.Length + quoted.Length];
        new EthernetHeader(attack.Pair.LeftLink.Address, attack.Pair.RightLink.Address, EtherType.Ipv4).Write(frame);
        new Ipv4Header
        {
            HeaderLength = Ipv4Header.MinLength,
            TotalLength = frame.Length - EthernetHeader.Length,
            TimeToLive = 64,
            Protocol = IpProtocol.Icmp,
            Source = ConnectedPair.RightAddress,
            Destination = ConnectedPair.LeftAddress,
        }.Write(frame.AsSpan(EthernetHeader.Length));
        Span<byte> message = frame.AsSpan(EthernetHeader.Length + Ipv4Header.MinLength);
        (message[0], message[1]) = (3, 4);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], mtu);
        quoted.CopyTo(message[IcmpHeader.Length..]);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], InternetChecksum.Of(message));
        return frame;
    }

    private Attack Quiet()
    {
        Attack attack = new(_trace);
        _trace.Clear();
        return attack;
    }

    private void Check([CallerMemberName] string test = "") => GoldenTrace.AssertIs(_trace.Text, test);
}
