using Moat.Sockets.Filters;

namespace Moat.Sockets;

/// <summary>The options of SOL_SOCKET that only hold a value (socket(7)). Any thread; each is one word.</summary>
public sealed class SocketOptions
{
    /// <summary>net.core.wmem_default and rmem_default.</summary>
    public const int DefaultBuffer = 212992;

    /// <summary>net.core.wmem_max and rmem_max.</summary>
    public const int MaxBuffer = 212992;

    private const int MinSendBuffer = 4608;
    private const int MinReceiveBuffer = 2304;

    /// <summary>SO_SNDBUF in bytes, as getsockopt(2) tells it: twice what was set.</summary>
    public int SendBuffer { get; private set; } = DefaultBuffer;

    /// <summary>SO_RCVBUF, likewise.</summary>
    public int ReceiveBuffer { get; private set; } = DefaultBuffer;

    /// <summary>SO_SNDTIMEO in nanoseconds; 0 for no limit.</summary>
    public long SendTimeoutNs { get; set; }

    /// <summary>SO_RCVTIMEO in nanoseconds; 0 for no limit.</summary>
    public long ReceiveTimeoutNs { get; set; }

    /// <summary>SO_PASSCRED.</summary>
    public bool PassCredentials { get; set; }

    /// <summary>SO_REUSEADDR.</summary>
    public bool ReuseAddress { get; set; }

    /// <summary>SO_REUSEPORT.</summary>
    public bool ReusePort { get; set; }

    /// <summary>SO_KEEPALIVE.</summary>
    public bool KeepAlive { get; set; }

    /// <summary>SO_BROADCAST.</summary>
    public bool Broadcast { get; set; }

    /// <summary>SO_TIMESTAMP, SO_TIMESTAMPNS.</summary>
    public SocketTimestamps Timestamps { get; set; }

    /// <summary>SO_LINGER: on or off, and the seconds.</summary>
    public (int On, int Seconds) Linger { get; set; }

    /// <summary>SO_PRIORITY.</summary>
    public int Priority { get; set; }

    /// <summary>SO_MARK.</summary>
    public uint Mark { get; set; }

    /// <summary>SO_BINDTODEVICE, SO_BINDTOIFINDEX: the interface's number, 0 for none.</summary>
    public int BoundInterface { get; set; }

    /// <summary>SO_ATTACH_FILTER, or null.</summary>
    public SocketFilter? Filter { get; set; }

    /// <summary>SO_LOCK_FILTER: the filter stays as it is.</summary>
    public bool LocksFilter { get; set; }

    /// <summary>SO_OOBINLINE.</summary>
    public bool OutOfBandInline { get; set; }

    /// <summary>SO_DEBUG.</summary>
    public bool Debug { get; set; }

    /// <summary>SO_DONTROUTE.</summary>
    public bool DontRoute { get; set; }

    /// <summary>SO_NO_CHECK.</summary>
    public bool NoChecksum { get; set; }

    /// <summary>SO_BUSY_POLL: for how long to poll hardware queues. No interface here has one, so it is kept and read alone, as on Linux's loopback and veth.</summary>
    public int BusyPollMicroseconds { get; set; }

    /// <summary>SO_PREFER_BUSY_POLL; as above.</summary>
    public bool PrefersBusyPoll { get; set; }

    /// <summary>SO_RCVLOWAT: bytes before poll(2) tells of them.</summary>
    public int ReceiveLowWater { get; set; } = 1;

    /// <summary>Whether SO_SNDBUF was set: a buffer that grows by itself stops growing.</summary>
    public bool HasSendBuffer { get; private set; }

    /// <summary>Whether SO_RCVBUF was set.</summary>
    public bool HasReceiveBuffer { get; private set; }

    /// <summary>Sets SO_SNDBUF the way Linux does: bounded and doubled.</summary>
    public void SetSendBuffer(int bytes, bool isForced)
    {
        SendBuffer = Bounded(bytes, isForced, MinSendBuffer);
        HasSendBuffer = true;
    }

    /// <summary>Sets SO_RCVBUF the way Linux does: bounded and doubled.</summary>
    public void SetReceiveBuffer(int bytes, bool isForced)
    {
        ReceiveBuffer = Bounded(bytes, isForced, MinReceiveBuffer);
        HasReceiveBuffer = true;
    }

    /// <summary>Takes the values over that an accepted connection has from its listener.</summary>
    public void Inherit(SocketOptions listener)
    {
        (SendBuffer, HasSendBuffer, ReceiveBuffer, HasReceiveBuffer) = (listener.SendBuffer, listener.HasSendBuffer, listener.ReceiveBuffer, listener.HasReceiveBuffer);
        (SendTimeoutNs, ReceiveTimeoutNs, KeepAlive, Linger) = (listener.SendTimeoutNs, listener.ReceiveTimeoutNs, listener.KeepAlive, listener.Linger);
        (ReuseAddress, ReusePort) = (listener.ReuseAddress, listener.ReusePort);
        (Filter, LocksFilter) = (listener.Filter, listener.LocksFilter);
        (Mark, BoundInterface, OutOfBandInline, DontRoute, ReceiveLowWater) = (listener.Mark, listener.BoundInterface, listener.OutOfBandInline, listener.DontRoute, listener.ReceiveLowWater);
    }

    private static int Bounded(int bytes, bool isForced, int minimum)
    {
        const int ForcedMax = 1 << 26; // a guest must not make the Sentry hold more than this for one socket
        long limit = isForced ? ForcedMax : MaxBuffer;
        return (int)Math.Max(Math.Min((uint)bytes, limit) * 2, minimum);
    }
}
