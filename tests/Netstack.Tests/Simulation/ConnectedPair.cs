using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>Two hosts on a wire of 100 Mbit/s and 10 ms round trip, with a connection between them.</summary>
internal sealed class ConnectedPair : IDisposable
{
    /// <summary>The address of the side that connects.</summary>
    public static readonly IpAddress LeftAddress = IpAddress.Parse("198.51.100.1");

    /// <summary>The address of the side that listens.</summary>
    public static readonly IpAddress RightAddress = IpAddress.Parse("198.51.100.2");

    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;

    /// <summary>Two hosts.</summary>
    /// <param name="connect">Whether to connect them; without, <see cref="Client"/> and <see cref="Accepted"/> are one socket that nobody has used.</param>
    /// <param name="trace">Who sees the frames.</param>
    /// <param name="configure">Sets options of the socket that connects, and of the one that listens.</param>
    /// <param name="rightMemory">What the side that listens may hold; the usual if null.</param>
    public ConnectedPair(bool connect = true, PacketTrace? trace = null, Action<TcpSocket, TcpSocket>? configure = null, SocketMemory? rightMemory = null)
    {
        Network = new SimulatedNetwork(1);
        Left = Network.AddHost();
        Right = Network.AddHost(rightMemory);
        (LeftLink, RightLink) = Network.Connect(Left, $"{LeftAddress}/24", Right, $"{RightAddress}/24", new SimulatedPath(5 * Millisecond, BytesPerSecond: 12_500_000));
        trace?.Watch(Network, LeftLink, RightLink);
        Listener = new TcpSocket(Right.Tcp, isV6: false, new NoObserver());
        Client = new TcpSocket(Left.Tcp, isV6: false, new NoObserver());
        Accepted = Client;
        configure?.Invoke(Client, Listener);
        if (!connect)
        {
            return;
        }

        Assert.Equal(NetError.None, Listener.Bind(new IpEndpoint(RightAddress, 80)));
        Assert.Equal(NetError.None, Listener.Listen(5));
        Assert.Equal(NetError.InProgress, Client.Connect(Listener.Local));
        TcpSocket? accepted = null;
        Assert.True(Network.RunUntil(() => Listener.Accept(out accepted) == NetError.None, Second));
        Assert.Equal(NetError.None, Client.FinishConnect());
        Accepted = accepted!;
    }

    /// <summary>Time and wires.</summary>
    public SimulatedNetwork Network { get; }

    /// <summary>The host that connects.</summary>
    public NetworkStack Left { get; }

    /// <summary>The host that listens.</summary>
    public NetworkStack Right { get; }

    /// <summary>The end of the wire at <see cref="Left"/>.</summary>
    public SimulatedLink LeftLink { get; }

    /// <summary>The end of the wire at <see cref="Right"/>.</summary>
    public SimulatedLink RightLink { get; }

    /// <summary>The socket that listens.</summary>
    public TcpSocket Listener { get; }

    /// <summary>The socket that has connected.</summary>
    public TcpSocket Client { get; }

    /// <summary>The socket at the other end.</summary>
    public TcpSocket Accepted { get; }

    /// <summary>Lets time pass.</summary>
    public void Wait(long milliseconds) => _ = Network.RunUntil(static () => false, milliseconds * Millisecond);

    /// <inheritdoc/>
    public void Dispose()
    {
        Listener.Dispose();
        Client.Dispose();
        Accepted.Dispose();
    }
}
