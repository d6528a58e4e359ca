using Moat.Netstack.Sockets;

namespace Moat.Netstack.Tcp;

/// <summary>The options of a TCP socket, with the names of tcp(7) and socket(7). A listener's are copied to the connections it accepts. Guarded by the socket's or connection's lock.</summary>
public sealed class TcpOptionSet
{
    /// <summary>TCP_NODELAY.</summary>
    public bool NoDelay { get; set; }

    /// <summary>TCP_CORK.</summary>
    public bool Cork { get; set; }

    /// <summary>SO_KEEPALIVE.</summary>
    public bool KeepAlive { get; set; }

    /// <summary>SO_OOBINLINE.</summary>
    public bool OutOfBandInline { get; set; }

    /// <summary>SO_RCVLOWAT.</summary>
    public int ReceiveLowWater { get; set; } = 1;

    /// <summary>TCP_KEEPIDLE.</summary>
    public long KeepAliveIdleNs { get; set; } = 7_200_000_000_000;

    /// <summary>TCP_KEEPINTVL.</summary>
    public long KeepAliveIntervalNs { get; set; } = 75_000_000_000;

    /// <summary>TCP_KEEPCNT.</summary>
    public int KeepAliveCount { get; set; } = 9;

    /// <summary>TCP_USER_TIMEOUT; 0 for none.</summary>
    public long UserTimeoutNs { get; set; }

    /// <summary>TCP_SYNCNT.</summary>
    public int SynRetries { get; set; } = TcpLimits.SynRetries;

    /// <summary>TCP_MAXSEG; 0 for what the route carries.</summary>
    public int MaxSegment { get; set; }

    /// <summary>TCP_NOTSENT_LOWAT: how many bytes that have not been sent yet a writer may add to; 0 for no such limit.</summary>
    public uint NotSentLowWater { get; set; }

    /// <summary>TCP_WINDOW_CLAMP: the largest window to offer, in bytes; 0 for what the buffer allows.</summary>
    public int WindowClamp { get; set; }

    /// <summary>TCP_LINGER2: how long an orphan stays in FIN_WAIT2; less than 0 resets it instead.</summary>
    public long FinTimeoutNs { get; set; } = TcpLimits.TimeWaitNs;

    /// <summary>TCP_DEFER_ACCEPT: how long a connection waits for its first data before it is accepted without.</summary>
    public long DeferAcceptNs { get; set; }

    /// <summary>TCP_CONGESTION.</summary>
    public string CongestionControl { get; set; } = "cubic";

    /// <summary>SO_SNDBUF in effect.</summary>
    public long SendBuffer { get; set; } = TcpLimits.DefaultSendBuffer;

    /// <summary>Whether SO_SNDBUF was set, so that it no longer grows by itself.</summary>
    public bool SendBufferIsFixed { get; set; }

    /// <summary>SO_RCVBUF, or 0 for one that grows by itself.</summary>
    public long ReceiveBuffer { get; set; }

    /// <summary>Options of IP.</summary>
    public IpSocketOptions Ip { get; private set; } = new();

    /// <summary>net.ipv4.tcp_timestamps.</summary>
    public bool OffersTimestamps { get; set; } = true;

    /// <summary>net.ipv4.tcp_sack.</summary>
    public bool OffersSack { get; set; } = true;

    /// <summary>net.ipv4.tcp_window_scaling.</summary>
    public bool OffersWindowScale { get; set; } = true;

    /// <summary>The names that <see cref="CongestionControl"/> may have (tcp_available_congestion_control).</summary>
    public static IReadOnlyList<string> CongestionControls { get; } = ["cubic", "reno"];

    /// <summary>A copy for an accepted connection.</summary>
    public TcpOptionSet Clone()
    {
        TcpOptionSet copy = (TcpOptionSet)MemberwiseClone();
        copy.Ip = Ip.Clone();
        return copy;
    }

    /// <summary>The shift for windows that the receive buffer may ever need.</summary>
    internal int WindowScaleFor(long buffer)
    {
        if (!OffersWindowScale)
        {
            return 0;
        }

        long largest = ReceiveBuffer > 0 ? buffer : TcpLimits.MaxReceiveBuffer;
        int scale = 0;
        while (scale < Wire.TcpOptions.MaxWindowScale && largest >> scale > ushort.MaxValue)
        {
            scale++;
        }

        return scale;
    }

    internal CongestionControl CreateCongestionControl() => CongestionControl == "reno" ? new Reno() : new Cubic();
}
