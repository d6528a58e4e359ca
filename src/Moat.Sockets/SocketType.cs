namespace Moat.Sockets;

/// <summary>The type of a socket (socket(2), <c>linux/net.h</c>).</summary>
public enum SocketType
{
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_RAW = 3,
    SOCK_SEQPACKET = 5,
}
