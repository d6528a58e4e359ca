namespace Moat.Netstack.Sockets;

/// <summary>What a socket is ready for, or what has happened to it; the bits of poll(2) with the names of their meaning.</summary>
[Flags]
public enum NetEvents
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Data, a connection to accept, or the end of the stream (POLLIN).</summary>
    Readable = 1,

    /// <summary>Urgent data (POLLPRI).</summary>
    Urgent = 2,

    /// <summary>Room for data (POLLOUT).</summary>
    Writable = 4,

    /// <summary>An error to be fetched, or something in the error queue (POLLERR).</summary>
    Error = 8,

    /// <summary>Both directions are closed (POLLHUP).</summary>
    HangUp = 16,

    /// <summary>The peer sends no more (POLLRDHUP).</summary>
    ReadHangUp = 0x2000,

    /// <summary>Urgent data is on its way: the owner gets SIGURG. No bit of poll(2).</summary>
    UrgentSignal = 0x10000,
}
