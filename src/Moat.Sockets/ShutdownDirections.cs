namespace Moat.Sockets;

/// <summary>Which directions of a socket have been ended (shutdown(2)).</summary>
[Flags]
public enum ShutdownDirections
{
    None = 0,
    Receive = 1,
    Send = 2,
    Both = Receive | Send,
}
