using System.Net.Sockets;
using Moat.Linux;

namespace Moat.NineP.Tests;

/// <summary>A connection over loopback, to speak with other implementations.</summary>
internal sealed class SocketTransport(Socket socket) : INinePTransport
{
    public Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        try
        {
            while (!message.IsEmpty)
            {
                message = message[socket.Send(message)..];
            }

            return Errno.None;
        }
        catch (SocketException)
        {
            return Errno.EPIPE;
        }
    }

    public Result<int> Receive(Span<byte> destination, List<int> descriptors)
    {
        try
        {
            return socket.Receive(destination);
        }
        catch (SocketException)
        {
            return Errno.ECONNRESET;
        }
    }
}
