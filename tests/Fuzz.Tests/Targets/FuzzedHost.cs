using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Raw;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>A host with something of everything, and the frames that another has sent it. Each is made the same way, so that frames of one fit the connections of another.</summary>
internal sealed class FuzzedHost : IDisposable
{
    private const long Second = 1_000_000_000;
    private const long LongestTimer = 200 * Second; // of a connection that closes
    private const long MaxHeldBytes = 1 << 20;

    /// <summary>Where the payload of a frame begins.</summary>
    public const int Ethernet = EthernetHeader.Length;

    private readonly SimulatedNetwork _network = new(7);
    private readonly NetworkStack _peer;
    private readonly List<IDisposable> _sockets = [];

    public FuzzedHost()
    {
        _peer = _network.AddHost();
        Stack = _network.AddHost();
        (SimulatedLink peerLink, Link) = _network.Connect(_peer, $"{PeerV4}/24", Stack, $"{AddressV4}/24", new SimulatedPath(1_000_000));
        peerLink.Drops = frame =>
        {
            Frames.Add(frame);
            return false;
        };
        Assert.Equal(NetError.None, _peer.AddAddress(_peer.Interfaces[1], new InterfaceAddress(PeerV6, 64, null)));
        Assert.Equal(NetError.None, Stack.AddAddress(Stack.Interfaces[1], new InterfaceAddress(AddressV6, 64, null)));
        Talk(AddressV4);
        Talk(AddressV6);

        Assert.Equal(NetError.None, Stack.Interfaces[1].Groups.Join(IpAddress.Parse("239.1.2.3")));
        Assert.Equal(NetError.None, Stack.Interfaces[1].Groups.Join(IpAddress.Parse("ff15::1")));
        Frames.AddRange(RareFrames.All(Link.Address));
        _network.Pass(Second);
    }

    /// <summary>Its address.</summary>
    public static IpAddress AddressV4 { get; } = IpAddress.Parse("198.51.100.2");

    /// <summary>Its other address.</summary>
    public static IpAddress AddressV6 { get; } = IpAddress.Parse("2001:db8::2");

    /// <summary>The address of the one that sends to it.</summary>
    public static IpAddress PeerV4 { get; } = IpAddress.Parse("198.51.100.1");

    /// <summary>Its other address.</summary>
    public static IpAddress PeerV6 { get; } = IpAddress.Parse("2001:db8::1");

    /// <summary>The host.</summary>
    public NetworkStack Stack { get; }

    /// <summary>Its link.</summary>
    public SimulatedLink Link { get; }

    /// <summary>What was sent to it, and some that seldom come.</summary>
    public List<byte[]> Frames { get; } = [];

    /// <summary>The host's ends of its connections: one of each version.</summary>
    public List<TcpSocket> Accepted { get; } = [];

    /// <summary>A frame for the host from its peer, of which the payload is still to be written.</summary>
    public byte[] NewFrame(EtherType type, int payloadLength)
    {
        byte[] frame = new byte[Ethernet + payloadLength];
        new EthernetHeader(Link.Address, Link.Peer.Address, type).Write(frame);
        return frame;
    }

    /// <summary>Lets its timers run and its answers go.</summary>
    public void Settle(long forNs) => _network.Pass(forNs);

    /// <summary>Fails if the host still holds much once everything has run out.</summary>
    public void CheckMemory()
    {
        Settle(LongestTimer);
        Assert.InRange(Stack.Memory.HeldBytes, 0, MaxHeldBytes);
    }

    public void Dispose() => _sockets.ForEach(static socket => socket.Dispose());

    private void Talk(IpAddress address)
    {
        TcpSocket listener = Add(new TcpSocket(Stack.Tcp, !address.IsV4, new NoObserver()));
        TcpSocket client = Add(new TcpSocket(_peer.Tcp, !address.IsV4, new NoObserver()));
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(address, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
        TcpSocket? accepted = null;
        Assert.True(_network.RunUntil(() => listener.Accept(out accepted) == NetError.None, Second));
        Accepted.Add(Add(accepted!));
        Assert.Equal(5000, client.Send(new byte[5000], out _));
        Assert.Equal(3000, accepted!.Send(new byte[3000], out _));
        UdpSocket bound = Add(new UdpSocket(Stack.Udp, !address.IsV4, new NoObserver()));
        UdpSocket sender = Add(new UdpSocket(_peer.Udp, !address.IsV4, new NoObserver()));
        Assert.Equal(NetError.None, bound.Bind(new IpEndpoint(address, 53)));
        foreach (int length in (int[])[0, 100, 4000])
        {
            SpanSource source = new(new byte[length]);
            Assert.Equal(NetError.None, sender.Send(ref source, bound.Local, default, out _));
        }

        _network.Pass(Second);
    }

    private T Add<T>(T socket)
        where T : IDisposable
    {
        _sockets.Add(socket);
        return socket;
    }
}
