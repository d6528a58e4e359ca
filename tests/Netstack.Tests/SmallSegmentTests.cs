using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>Small segments that pile up at a reader who comes late: they share memory, and their bytes are those that were written.</summary>
public sealed class SmallSegmentTests
{
    private const long Second = 1_000_000_000;
    private const int Length = 60_000;

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 100)]
    [InlineData(true, 1)]
    [InlineData(true, 100)]
    [InlineData(true, 400)]
    public void WritesThatPileUp_AreReadAsWritten(bool isLoopback, int largest)
    {
        SimulatedNetwork network = new(largest);
        NetworkStack left = network.AddHost();
        NetworkStack right = isLoopback ? left : network.AddHost();
        IpAddress address = IpAddress.Parse(isLoopback ? "127.0.0.1" : "198.51.100.2");
        if (!isLoopback)
        {
            network.Connect(left, "198.51.100.1/24", right, "198.51.100.2/24", new SimulatedPath(100_000, Loss: 0.01, Reordering: 0.05));
        }

        using TcpSocket listener = new(right.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(address, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        using TcpSocket writer = new(left.Tcp, isV6: false, new NoObserver());
        writer.Options.NoDelay = true;
        Assert.Equal(NetError.InProgress, writer.Connect(listener.Local));
        TcpSocket? accepted = null;
        Assert.True(network.RunUntil(() => listener.Accept(out accepted) == NetError.None, 10 * Second));
        using TcpSocket reader = accepted!;

        Random random = new(largest);
        byte[] data = new byte[Length];
        random.NextBytes(data);
        int sent = 0;
        bool isAllSent = network.RunUntil(
            () =>
            {
                for (int i = 0; i < 50 && sent < Length; i++)
                {
                    sent += (int)writer.Send(data.AsSpan(sent, Math.Min(random.Next(1, largest + 1), Length - sent)), out _);
                }

                return sent == Length && reader.AvailableBytes == Length;
            },
            600 * Second);
        Assert.True(isAllSent, $"{sent} sent, {reader.AvailableBytes} there");
        Assert.InRange(right.Memory.HeldBytes, Length, 1 << 20);

        byte[] got = new byte[Length];
        byte[] peeked = new byte[Length];
        for (int received = 0; received < Length;)
        {
            int wanted = Math.Min(random.Next(1, 3000), Length - received);
            SpanSink peek = new(peeked.AsSpan(received, wanted));
            Assert.Equal(NetError.None, reader.Receive(ref peek, peek: true, out long shown));
            long count = reader.Receive(got.AsSpan(received, wanted), out _);
            Assert.Equal(shown, count);
            received += (int)count;
        }

        Assert.True(data.AsSpan().SequenceEqual(got));
        Assert.True(data.AsSpan().SequenceEqual(peeked));
    }
}
