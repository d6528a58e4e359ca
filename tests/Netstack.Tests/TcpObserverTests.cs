using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>What a socket's observer may count on.</summary>
public sealed class TcpObserverTests
{
    [Fact]
    public void Observer_IsToldOfDataWhenOthersCanReadIt()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 4000)));
        Assert.Equal(NetError.None, listener.Listen(1));
        using TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
        Assert.Equal(NetError.None, client.FinishConnect());
        Assert.Equal(NetError.None, listener.Accept(out TcpSocket? accepted));
        using TcpSocket server = accepted!;
        ReadElsewhere observer = new(server);
        server.Observe(observer);

        Assert.Equal(3, client.Send([1, 2, 3], out _));
        Assert.Equal((1, 3), (observer.Count, observer.Available));
    }

    // A thread that is woken asks the socket at once: it must not have to wait for who has woken it.
    private sealed class ReadElsewhere(TcpSocket socket) : ISocketObserver
    {
        private const int HangMs = 30_000;

        public int Count { get; private set; }

        public int Available { get; private set; } = -1;

        public void OnEvents(NetEvents events)
        {
            int available = -1;
            Thread reader = new(() => available = socket.AvailableBytes) { IsBackground = true };
            reader.Start();
            Count++;
            Available = reader.Join(HangMs) ? available : -1;
        }
    }
}
