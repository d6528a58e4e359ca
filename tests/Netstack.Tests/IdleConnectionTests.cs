using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>What connections hold on which nothing happens. Alone, since the heap is measured.</summary>
[CollectionDefinition(nameof(IdleConnectionTests), DisableParallelization = true)]
[Collection(nameof(IdleConnectionTests))]
public sealed class IdleConnectionTests
{
    private const int Count = 1000;
    private const int MaxBytes = 4096;

    [Fact]
    public void IdleConnection_CostsAtMostFourKibibytesAnEnd()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 80)));
        Assert.Equal(NetError.None, listener.Listen(Count));
        List<TcpSocket> sockets = new(4 * Count);
        Connect(stack, listener, sockets); // tables have grown
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Connect(stack, listener, sockets);
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (2 * Count);
        sockets.ForEach(static socket => socket.Dispose());
        Assert.InRange(each, 1, MaxBytes);
    }

    private static void Connect(NetworkStack stack, TcpSocket listener, List<TcpSocket> sockets)
    {
        byte[] word = new byte[8];
        for (int i = 0; i < Count; i++)
        {
            TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
            Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
            Assert.Equal(NetError.None, listener.Accept(out TcpSocket? accepted));
            Assert.Equal(word.Length, client.Send(word, out _));
            stack.Flush();
            Assert.Equal(word.Length, accepted!.Receive(word, out _));
            stack.Flush();
            sockets.Add(client);
            sockets.Add(accepted!);
        }
    }
}
