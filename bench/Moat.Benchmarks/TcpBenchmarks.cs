using BenchmarkDotNet.Attributes;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Benchmarks;

/// <summary>What a TCP connection over loopback costs the stack: bytes sent, segments made and taken in, bytes received.</summary>
public class TcpBenchmarks : ISocketObserver
{
    private TcpSocket _client = null!; // set up before the first benchmark
    private TcpSocket _server = null!; // set up before the first benchmark
    private byte[] _bytes = [];

    /// <summary>Bytes of an exchange.</summary>
    [Params(1, 1460, 65536)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        NetworkStack stack = new(new BenchHost());
        _ = stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? loopback);
        _ = stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV4, 8, null));
        stack.SetUp(loopback!, true);
        TcpSocket listener = new(stack.Tcp, isV6: false, this);
        listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 80));
        listener.Listen(1);
        _client = new TcpSocket(stack.Tcp, isV6: false, this);
        _client.Connect(listener.Local);
        _client.FinishConnect();
        listener.Accept(out TcpSocket? server);
        server!.Observe(this);
        _server = server!;
        _bytes = new byte[Bytes];
    }

    [Benchmark]
    public long SendAndReceive()
    {
        Source source = new(_bytes);
        _client.Send(ref source, more: false, isUrgent: false, out long sent);
        for (long received = 0; received < sent;)
        {
            Sink sink = new(_bytes);
            _server.Receive(ref sink, peek: false, out long count);
            received += count;
        }

        return sent;
    }

    /// <inheritdoc/>
    public void OnEvents(NetEvents events)
    {
    }

    private ref struct Source(ReadOnlySpan<byte> bytes) : IByteSource
    {
        private ReadOnlySpan<byte> _left = bytes;

        public readonly long Length => _left.Length;

        public int CopyTo(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, _left.Length);
            _left[..count].CopyTo(destination);
            _left = _left[count..];
            return count;
        }
    }

    private ref struct Sink(Span<byte> bytes) : IByteSink
    {
        private Span<byte> _left = bytes;

        public readonly long Length => _left.Length;

        public int CopyFrom(ReadOnlySpan<byte> source)
        {
            int count = Math.Min(source.Length, _left.Length);
            source[..count].CopyTo(_left);
            _left = _left[count..];
            return count;
        }
    }
}
