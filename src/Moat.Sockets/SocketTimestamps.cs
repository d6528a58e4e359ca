namespace Moat.Sockets;

/// <summary>Whether and how a socket tells when a message arrived (socket(7)).</summary>
public enum SocketTimestamps
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>SO_TIMESTAMP: a <c>struct timeval</c>.</summary>
    Microseconds,

    /// <summary>SO_TIMESTAMPNS: a <c>struct timespec</c>.</summary>
    Nanoseconds,
}
