using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>Segments in a peer's name from somebody who does not see the connection (RFC 5961).</summary>
public sealed class ResetFloodTests
{
    private const ushort Port = 80;

    [Fact]
    public void Blind_ResetsSynsAndData_EndNothing()
    {
        using Attack attack = new();
        Random random = new(3);
        TcpFlags[] kinds = [TcpFlags.RST, TcpFlags.RST | TcpFlags.ACK, TcpFlags.SYN, TcpFlags.FIN | TcpFlags.ACK, TcpFlags.ACK];
        attack.Run(
            i => attack.Deliver(attack.Segment(attack.Pair.Client.Local, Port, kinds[i % kinds.Length], new SequenceNumber((uint)random.NextInt64(1L << 32)), new SequenceNumber((uint)random.NextInt64(1L << 32)))),
            strikes: 40_000,
            perStep: 200);
        Assert.Equal(TcpState.Established, attack.Pair.Client.State);
        Assert.Equal(TcpState.Established, attack.Pair.Accepted.State);
        Assert.InRange(attack.MostHeld, 0, 4 << 20);
    }

    [Theory]
    [InlineData(TcpFlags.RST)]
    [InlineData(TcpFlags.SYN)]
    public void InTheWindow_IsChallenged_TwiceASecond(TcpFlags kind)
    {
        const int Seconds = 5;
        using Attack attack = new();
        SequenceNumber next = attack.AfterSending(1, 1000);
        int sent = attack.SentCount;
        for (int i = 0; i < 200 * Seconds; i++)
        {
            attack.Deliver(attack.Segment(attack.Pair.Client.Local, Port, kind, next + 1 + i));
            attack.Pair.Wait(5);
        }

        Assert.InRange(attack.SentCount - sent, 1, (2 * Seconds) + 1);
        Assert.Equal(TcpState.Established, attack.Pair.Accepted.State);
        attack.Deliver(attack.Segment(attack.Pair.Client.Local, Port, TcpFlags.RST, next)); // exactly what is expected
        Assert.Equal(TcpState.Closed, attack.Pair.Accepted.State);
        Assert.Equal(NetError.ConnectionReset, attack.Pair.Accepted.TakeError());
    }

    [Fact]
    public void OutsideOfTheWindow_IsAnsweredSeldom()
    {
        const int Seconds = 5;
        const int Burst = 8;
        using Attack attack = new();
        SequenceNumber next = attack.AfterSending(1, 1000);
        int sent = attack.SentCount;
        for (int i = 0; i < 200 * Seconds; i++)
        {
            attack.Deliver(attack.Segment(attack.Pair.Client.Local, Port, TcpFlags.ACK, next - 100_000 - i));
            attack.Pair.Wait(5);
        }

        Assert.InRange(attack.SentCount - sent, 1, Burst + (2 * Seconds) + 1);
        Assert.Equal(1, attack.Pair.Accepted.Receive(new byte[2], out _));
        attack.Run(static _ => { }, 1, 1);
    }
}
