using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>Connections in their rarer states: both sides at once, closed windows, lost ends, floods.</summary>
public sealed class TcpStateTests
{
    private const long Second = 1_000_000_000;
    private const int EthernetAndIp = 34;
    private static readonly IpAddress s_left = IpAddress.Parse("198.51.100.1");
    private static readonly IpAddress s_right = IpAddress.Parse("198.51.100.2");

    [Fact]
    public void Connect_ToItself_TalksToItself()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        using TcpSocket socket = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, socket.Bind(new IpEndpoint(IpAddress.LoopbackV4, 4000)));
        Assert.Equal(NetError.InProgress, socket.Connect(socket.Local));
        Assert.Equal(NetError.None, socket.FinishConnect());
        Assert.Equal(TcpState.Established, socket.State);
        Assert.Equal(3, socket.Send([1, 2, 3], out _));
        Assert.Equal(3, socket.Receive(new byte[8], out _));
    }

    [Fact]
    public void Connect_FromBothSidesAtOnce_IsOneConnection()
    {
        using ConnectedPair pair = new(connect: false);
        using TcpSocket left = new(pair.Left.Tcp, isV6: false, new NoObserver());
        using TcpSocket right = new(pair.Right.Tcp, isV6: false, new NoObserver());
        // A first exchange makes neighbours known, so that the SYNs cross.
        using TcpSocket nobody = new(pair.Left.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.InProgress, nobody.Connect(new IpEndpoint(s_right, 9)));
        Assert.True(pair.Network.RunUntil(() => nobody.FinishConnect() == NetError.ConnectionRefused, Second));
        Assert.Equal(NetError.None, left.Bind(new IpEndpoint(s_left, 1000)));
        Assert.Equal(NetError.None, right.Bind(new IpEndpoint(s_right, 2000)));
        Assert.Equal(NetError.InProgress, left.Connect(right.Local));
        Assert.Equal(NetError.InProgress, right.Connect(left.Local));
        Assert.True(pair.Network.RunUntil(() => left.State == TcpState.Established && right.State == TcpState.Established, 10 * Second), $"{left.State}, {right.State}");
        Assert.Equal(1, left.Send([1], out _));
        Assert.True(pair.Network.RunUntil(() => right.Receive(new byte[8], out _) == 1, 10 * Second));
    }

    [Fact]
    public void Send_ToAClosedWindow_WaitsAnHourAndGoesOn()
    {
        using ConnectedPair pair = new();
        byte[] data = new byte[3_000_000];
        new Random(1).NextBytes(data);
        int sent = 0;
        pair.Accepted.Options.ReceiveBuffer = 65536;
        pair.Accepted.ApplyOptions();
        _ = pair.Network.RunUntil(() => (sent += (int)pair.Client.Send(data.AsSpan(sent), out _)) < 0, 3600 * Second);
        Assert.InRange(sent, 1, data.Length - 1);
        Assert.Equal(TcpState.Established, pair.Client.State);
        byte[] got = new byte[data.Length + 1];
        int received = 0;
        Assert.True(pair.Network.RunUntil(
            () =>
            {
                sent += (int)pair.Client.Send(data.AsSpan(sent), out _);
                received += (int)pair.Accepted.Receive(got.AsSpan(received), out _);
                return received == data.Length;
            },
            600 * Second),
            $"{sent} sent, {received} received");
        Assert.True(data.AsSpan().SequenceEqual(got.AsSpan(0, received)));
    }

    [Fact]
    public void Close_WithALostAcknowledgmentOfFin_IsAcknowledgedAgain()
    {
        using ConnectedPair pair = new();
        int dropped = 0;
        pair.RightLink.Drops = frame => IsTcp(frame) && dropped++ < 1;
        Assert.Equal(NetError.None, pair.Client.Shutdown(receive: false, send: true));
        Assert.True(pair.Network.RunUntil(() => pair.Client.State == TcpState.FinWait2, 5 * Second), $"{pair.Client.State}, {pair.Accepted.State}");
        Assert.Equal(TcpState.CloseWait, pair.Accepted.State);
    }

    [Fact]
    public void HalfClose_LetsTheOtherSideGoOn()
    {
        using ConnectedPair pair = new();
        Assert.Equal(NetError.None, pair.Client.Shutdown(receive: false, send: true));
        Assert.True(pair.Network.RunUntil(() => pair.Accepted.State == TcpState.CloseWait, Second));
        Assert.Equal(0, pair.Client.Send([1], out NetError error));
        Assert.Equal(NetError.BrokenPipe, error);
        Assert.Equal(3, pair.Accepted.Send([1, 2, 3], out _));
        Assert.True(pair.Network.RunUntil(() => pair.Client.Receive(new byte[8], out _) == 3, Second));
        pair.Accepted.Close(abort: false);
        Assert.True(pair.Network.RunUntil(() => pair.Client.State == TcpState.Closed, Second));
    }

    [Fact]
    public void Close_OfBothSidesAtOnce_EndsBoth()
    {
        using ConnectedPair pair = new();
        Assert.Equal(NetError.None, pair.Client.Shutdown(receive: false, send: true));
        Assert.Equal(NetError.None, pair.Accepted.Shutdown(receive: false, send: true));
        Assert.True(pair.Network.RunUntil(() => pair.Client.State == TcpState.Closed && pair.Accepted.State == TcpState.Closed, 5 * Second), $"{pair.Client.State}, {pair.Accepted.State}");
    }

    [Fact]
    public void Close_WithUnreadData_ResetsThePeer()
    {
        using ConnectedPair pair = new();
        Assert.Equal(1, pair.Client.Send([1], out _));
        Assert.True(pair.Network.RunUntil(() => pair.Accepted.AvailableBytes == 1, Second));
        pair.Accepted.Close(abort: false);
        Assert.True(pair.Network.RunUntil(() => pair.Client.State == TcpState.Closed, Second));
        Assert.Equal(NetError.ConnectionReset, pair.Client.TakeError());
    }

    [Fact]
    public void KeepAlive_FindsAVanishedPeer()
    {
        using ConnectedPair pair = new();
        (pair.Client.Options.KeepAlive, pair.Client.Options.KeepAliveIdleNs, pair.Client.Options.KeepAliveIntervalNs, pair.Client.Options.KeepAliveCount) = (true, 10 * Second, Second, 3);
        pair.Client.ApplyOptions();
        _ = pair.Network.RunUntil(() => false, 100 * Second);
        Assert.Equal(TcpState.Established, pair.Client.State);
        pair.RightLink.IsCut = true;
        _ = pair.Network.RunUntil(() => false, 100 * Second);
        Assert.Equal(TcpState.Closed, pair.Client.State);
        Assert.Equal(NetError.TimedOut, pair.Client.TakeError());
    }

    [Fact]
    public void KeepAlive_GoesOn_WhileEachProbeIsAnsweredAtOnce()
    {
        SimulatedNetwork network = new(3);
        NetworkStack stack = network.AddHost();
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        using TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
        Assert.Equal(NetError.None, listener.Accept(out TcpSocket? server));
        (client.Options.KeepAlive, client.Options.KeepAliveIdleNs, client.Options.KeepAliveIntervalNs, client.Options.KeepAliveCount) = (true, Second, Second, 1);
        client.ApplyOptions();
        _ = network.RunUntil(() => false, 10 * Second);
        Assert.Equal(TcpState.Established, client.State);
        server!.Dispose();
    }

    [Fact]
    public void TimeWait_MakesRoomForANewConnection_AfterASecond()
    {
        SimulatedNetwork network = new(3);
        NetworkStack stack = network.AddHost();
        stack.Tcp.Ports.Range = (40000, 40001);
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        for (int i = 0; i < 10; i++)
        {
            TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
            Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
            Assert.Equal(NetError.None, listener.Accept(out TcpSocket? server));
            client.Dispose();
            server!.Dispose();
            if (i % 2 == 1)
            {
                using TcpSocket refused = new(stack.Tcp, isV6: false, new NoObserver());
                Assert.Equal(NetError.AddressNotAvailable, refused.Connect(listener.Local));
                _ = network.RunUntil(() => false, 2 * Second);
            }
        }
    }

    [Fact]
    public void Memory_IsAllBack_AfterEverythingIsClosed()
    {
        SimulatedNetwork network = new(7);
        NetworkStack left = network.AddHost();
        NetworkStack right = network.AddHost();
        network.Connect(left, "198.51.100.1/24", right, "198.51.100.2/24", new SimulatedPath(5_000_000, 0.05, 0.05, 0.05));
        TcpSocket listener = new(right.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(s_right, 80)));
        Assert.Equal(NetError.None, listener.Listen(20));
        List<TcpSocket> open = [];
        byte[] data = new byte[100_000];
        for (int i = 0; i < 12; i++)
        {
            TcpSocket client = new(left.Tcp, isV6: false, new NoObserver());
            _ = client.Connect(listener.Local);
            open.Add(client);
        }

        int steps = 0;
        _ = network.RunUntil(
            () =>
            {
                foreach (TcpSocket socket in open)
                {
                    _ = socket.Send(data, out _);
                }

                if (listener.Accept(out TcpSocket? accepted) == NetError.None && steps % 2 == 0)
                {
                    open.Add(accepted!);
                }
                else
                {
                    accepted?.Close(abort: true);
                }

                return ++steps > 100;
            },
            10 * Second);
        listener.Dispose();
        foreach (TcpSocket socket in open)
        {
            socket.Close(abort: open.IndexOf(socket) % 3 == 0);
        }

        _ = network.RunUntil(() => false, 3600 * Second);
        foreach (NetworkStack stack in new[] { left, right })
        {
            Assert.Equal((0, 0, 0, 0, 0), (stack.Pool.Small.Rented, stack.Pool.Frames.Rented, stack.Pool.Medium.Rented, stack.Pool.Large.Rented, stack.Pool.Data.Rented));
        }
    }

    [Fact]
    public void SynFlood_LeavesMemoryBounded_AndOthersAlive()
    {
        using ConnectedPair pair = new();
        Assert.Equal(NetError.None, pair.Right.Routes.Add(new Route(IpAddress.AnyV4, 0, 2) { Gateway = s_left }));
        byte[] syn = Convert.FromHexString("0200000000050200000000060800" + "450000280000000040060000" + "00000000c6336402" + "00000050000000000000000050020400" + "00000000");
        EthernetAddress to = pair.RightLink.Address;
        to.WriteTo(syn);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] frame = (byte[])syn.Clone();
            IpAddress source = IpAddress.FromV4(0xc6120000u + (uint)(i >> 4));
            WriteSyn(frame, source, (ushort)(1024 + (i & 15)), (uint)i * 7919);
            pair.RightLink.Deliver(frame);
        }

        Assert.Equal(0, pair.Right.Tcp.BadSegments);
        Assert.InRange(pair.Right.Tcp.SentSegments, 100_000, 200_000); // each was answered, most with a cookie
        Assert.InRange(pair.Right.Tcp.ListFlows().Count, 1, 64);
        Assert.InRange(pair.Right.Memory.HeldBytes, 0, 1 << 20);
        Assert.Equal(3, pair.Client.Send([1, 2, 3], out _));
        Assert.True(pair.Network.RunUntil(() => pair.Accepted.Receive(new byte[8], out _) == 3, Second));
    }

    private static bool IsTcp(byte[] frame) => frame.Length > EthernetAndIp && frame[12] == 8 && frame[13] == 0 && frame[23] == (byte)IpProtocol.Tcp;

    private static void WriteSyn(byte[] frame, IpAddress source, ushort port, uint sequence)
    {
        Ipv4Header ip = new() { HeaderLength = 20, TotalLength = 40, TimeToLive = 64, Protocol = IpProtocol.Tcp, Source = source, Destination = s_right };
        ip.Write(frame.AsSpan(14));
        TcpHeader tcp = new() { SourcePort = port, DestinationPort = 80, Sequence = new SequenceNumber(sequence), HeaderLength = 20, Flags = TcpFlags.SYN, Window = 1024 };
        tcp.Write(frame.AsSpan(EthernetAndIp));
        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(source, s_right, IpProtocol.Tcp, 20);
        frame.AsSpan(EthernetAndIp + TcpHeader.ChecksumOffset, 2).Clear();
        checksum.Add(frame.AsSpan(EthernetAndIp, 20));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetAndIp + TcpHeader.ChecksumOffset), checksum.Value);
    }
}
