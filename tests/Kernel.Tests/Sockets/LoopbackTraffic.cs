using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Sockets;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Kernel.Tests.Sockets;

/// <summary>Datagrams to oneself, of both versions; whether they arrive is the rules' business.</summary>
internal sealed class LoopbackTraffic : IDisposable
{
    private readonly UdpSocket _v4;
    private readonly UdpSocket _v6;

    /// <summary>Over a stack's loopback.</summary>
    public LoopbackTraffic(NetworkStack stack) => (_v4, _v6) = (Make(stack, IpAddress.LoopbackV4), Make(stack, IpAddress.LoopbackV6));

    /// <summary>Sends one of each.</summary>
    public void Run()
    {
        Run(_v4);
        Run(_v6);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _v4.Dispose();
        _v6.Dispose();
    }

    /// <summary>A stack whose loopback is up.</summary>
    public static NetworkStack MakeStack()
    {
        NetworkStack stack = new(new FakeHost());
        Assert.Equal(NetError.None, stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? loopback));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV4, 8, null)));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV6, 128, null)));
        stack.SetUp(loopback!, true);
        return stack;
    }

    private static UdpSocket Make(NetworkStack stack, IpAddress address)
    {
        UdpSocket socket = new(stack.Udp, !address.IsV4, new NoObserver());
        Assert.Equal(NetError.None, socket.Bind(new IpEndpoint(address, 99)));
        Assert.Equal(NetError.None, socket.Connect(new IpEndpoint(address, 99)));
        return socket;
    }

    private static void Run(UdpSocket socket)
    {
        Bytes source = new(8);
        Bytes sink = new(8);
        if (socket.Send(ref source, null, default, out _) == NetError.None)
        {
            _ = socket.Receive(ref sink, false, out _);
        }

        _ = socket.TakeError();
    }

    private struct Bytes(int length) : IByteSource, IByteSink
    {
        private int _left = length;

        public readonly long Length => _left;

        public int CopyTo(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, _left);
            destination[..count].Clear();
            _left -= count;
            return count;
        }

        public int CopyFrom(ReadOnlySpan<byte> source)
        {
            int count = Math.Min(source.Length, _left);
            _left -= count;
            return count;
        }
    }

    private sealed class NoObserver : ISocketObserver
    {
        public void OnEvents(NetEvents events)
        {
        }
    }

    private sealed class FakeHost : INetHost
    {
        private readonly Random _random = new(7);

        public long NowNs => 1_000_000_000;

        public void Fill(Span<byte> random) => _random.NextBytes(random);

        public void WakeAt(long deadlineNs)
        {
        }
    }
}
