using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>More connections than anybody means: half open ones, and whole ones whose peer does not read.</summary>
public sealed class ConnectionFloodTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void HalfOpen_AHundredThousand_LeaveRoomForOthers()
    {
        const int Backlog = 4096;
        using Attack attack = new();
        attack.Pair.Listener.Listen(Backlog);
        attack.Run(
            i => attack.Deliver(attack.Segment(new IpEndpoint(IpAddress.FromV4(0xc612_0000u + (uint)(i >> 2)), (ushort)(2000 + (i & 3))), 80, TcpFlags.SYN, new SequenceNumber((uint)i * 7919))),
            strikes: 100_000,
            perStep: 2000);
        Assert.InRange(attack.Stack.Tcp.ListFlows().Count, Backlog, Backlog + 64);
        Assert.InRange(attack.MostHeld, 1, 8 << 20);

        // Whoever means it gets a cookie, and with it a connection.
        using TcpSocket client = new(attack.Pair.Left.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.InProgress, client.Connect(attack.Pair.Listener.Local));
        Assert.True(attack.Pair.Network.RunUntil(() => client.FinishConnect() == NetError.None, 5 * Second), $"{client.State}");
        attack.Pair.Wait(200_000);
        Assert.InRange(attack.Stack.Tcp.ListFlows().Count, 1, 8); // what was half open has been given up
        Assert.InRange(attack.Stack.Memory.HeldBytes, 0, 1 << 20);
    }

    [Fact]
    public void PeersThatDoNotRead_GetNoMoreThanThereIs()
    {
        const int Connections = 300;
        const long Limit = 8 << 20;
        using Attack attack = new(memory: new SocketMemory { LimitBytes = Limit });
        attack.Pair.Listener.Listen(Connections);
        byte[] data = new byte[1 << 20];
        List<TcpSocket> accepted = [];
        attack.Run(
            i =>
            {
                _ = ForgedConnection.Open(attack, new IpEndpoint(IpAddress.FromV4(0xc612_0000u + (uint)i), 5000), 80);
                if (attack.Pair.Listener.Accept(out TcpSocket? socket) == NetError.None)
                {
                    accepted.Add(socket!);
                    _ = socket!.Send(data, out _);
                }
            },
            strikes: Connections,
            perStep: 3);
        Assert.InRange(accepted.Count, 50, Connections);
        Assert.InRange(attack.MostHeld, Limit / 2, Limit + (Connections * 4L * SocketMemory.GuaranteedBytes));
        accepted.ForEach(static socket => socket.Close(abort: true));
        attack.Pair.Wait(1000);
        Assert.InRange(attack.Stack.Memory.HeldBytes, 0, 1 << 20);
    }

    [Fact]
    public void AcceptQueue_ThatNobodyEmpties_IsBounded()
    {
        const int Backlog = 16;
        using Attack attack = new();
        attack.Pair.Listener.Listen(Backlog);
        attack.Run(
            i =>
            {
                IpEndpoint source = new(IpAddress.FromV4(0xc612_0000u + (uint)i), 5000);
                attack.Deliver(attack.Segment(source, 80, TcpFlags.SYN, new SequenceNumber(1000)));
                attack.Stack.Flush();
                if (attack.TryFindSent(source, out SequenceNumber end))
                {
                    attack.Deliver(attack.Segment(source, 80, TcpFlags.ACK, new SequenceNumber(1001), end, payloadLength: 1000));
                }
            },
            strikes: 10_000,
            perStep: 100);
        Assert.Equal(Backlog + 1, attack.Pair.Listener.AcceptQueue.Waiting);
        Assert.InRange(attack.MostHeld, 1, 4 << 20);
    }
}
