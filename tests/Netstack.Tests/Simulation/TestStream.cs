using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>A TCP socket with arrays.</summary>
internal static class TestStream
{
    /// <summary>Sends what there is room for.</summary>
    public static long Send(this TcpSocket socket, ReadOnlySpan<byte> bytes, out NetError error)
    {
        SpanSource source = new(bytes);
        error = socket.Send(ref source, more: false, isUrgent: false, out long sent);
        return sent;
    }

    /// <summary>Receives what there is.</summary>
    public static long Receive(this TcpSocket socket, Span<byte> bytes, out NetError error)
    {
        SpanSink sink = new(bytes);
        error = socket.Receive(ref sink, peek: false, out long received);
        return received;
    }
}
