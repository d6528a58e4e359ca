using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>Connections carry every byte in order, over loopback and over wires that lose, delay, reorder and repeat.</summary>
public sealed class TcpTransferTests
{
    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Loopback_CarriesAStream(string address)
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        Transfer(network, stack, stack, IpAddress.Parse(address), 10_000_000, 60 * Second);
    }

    [Fact]
    public void Loopback_ConnectsWithoutTimers()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        for (int i = 0; i < 100; i++)
        {
            TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
            Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
            Assert.Equal(NetError.None, client.FinishConnect());
            Assert.Equal(NetError.None, listener.Accept(out TcpSocket? server));
            Assert.Equal(1, client.Send([1], out _));
            Assert.Equal(1, server!.Receive(new byte[2], out _));
            client.Dispose();
            server!.Dispose();
        }
    }

    [Theory]
    [InlineData(0, 0, 0, 1)]
    [InlineData(1, 0, 0, 1)]
    [InlineData(1, 5, 0, 1)]
    [InlineData(20, 1, 0, 2)]
    [InlineData(20, 5, 5, 3)]
    [InlineData(20, 0, 20, 4)]
    [InlineData(100, 2, 2, 5)]
    [InlineData(5, 20, 10, 6)]
    public void Wire_CarriesAStream(int delayMs, int lossPercent, int reorderPercent, int seed)
    {
        SimulatedNetwork network = new(seed);
        NetworkStack client = network.AddHost();
        NetworkStack server = network.AddHost();
        SimulatedPath path = new(delayMs * Millisecond, lossPercent / 100.0, reorderPercent / 100.0, 0.01);
        network.Connect(client, "198.51.100.1/24", server, "198.51.100.2/24", path);
        Transfer(network, client, server, IpAddress.Parse("198.51.100.2"), 1_000_000, 600 * Second);
    }

    private static void Transfer(SimulatedNetwork network, NetworkStack client, NetworkStack server, IpAddress address, int length, long limitNs)
    {
        bool isV6 = !address.IsV4;
        using TcpSocket listener = new(server.Tcp, isV6, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(address, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        using TcpSocket sender = new(client.Tcp, isV6, new NoObserver());
        Assert.Equal(NetError.InProgress, sender.Connect(new IpEndpoint(address, 80)));
        Assert.True(network.RunUntil(() => sender.FinishConnect() == NetError.None, limitNs), $"no connection: {sender.State}");
        TcpSocket? accepted = null;
        Assert.True(network.RunUntil(() => listener.Accept(out accepted) == NetError.None, limitNs));
        using TcpSocket receiver = accepted!;

        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        byte[] got = new byte[length + 1];
        int sent = 0;
        int received = 0;
        bool closed = false;
        bool done = network.RunUntil(
            () =>
            {
                while (true)
                {
                    int before = sent + received;
                    sent += (int)sender.Send(data.AsSpan(sent), out _);
                    if (sent == length && !closed)
                    {
                        closed = sender.Shutdown(receive: false, send: true) == NetError.None;
                    }

                    received += (int)receiver.Receive(got.AsSpan(received), out NetError error);
                    if (received == length && receiver.Receive(got.AsSpan(received), out error) == 0 && error == NetError.None)
                    {
                        return true;
                    }

                    if (sent + received == before)
                    {
                        return false;
                    }
                }
            },
            limitNs);
        Assert.True(done, $"sent {sent}, received {received} of {length}; {sender.State}, {receiver.State}, {sender.TakeError()}");
        Assert.True(data.AsSpan().SequenceEqual(got.AsSpan(0, length)));
    }
}
