namespace Moat.Netstack.Tcp;

/// <summary>How fast to send: the congestion window and when it changes (RFC 5681). Guarded by the connection's lock. All sizes in bytes.</summary>
internal abstract class CongestionControl
{
    private int _windowBefore;
    private int _thresholdBefore;

    /// <summary>The name in TCP_CONGESTION.</summary>
    public abstract string Name { get; }

    /// <summary>The sender's segment size.</summary>
    public int Mss { get; set; } = TcpLimits.DefaultMss;

    /// <summary>The congestion window.</summary>
    public int Window { get; set; }

    /// <summary>Where slow start ends.</summary>
    public int SlowStartThreshold { get; set; } = int.MaxValue;

    /// <summary>Whether the window grows exponentially.</summary>
    public bool IsInSlowStart => Window < SlowStartThreshold;

    /// <summary>Begins with the window of RFC 6928.</summary>
    public virtual void Start() => Window = TcpLimits.InitialWindowSegments * Mss;

    /// <summary>Data has been acknowledged while nothing is lost and the window was in use.</summary>
    public void OnAcknowledged(int bytes, long rttNs, long nowNs)
    {
        if (IsInSlowStart)
        {
            int grown = Math.Min(bytes, SlowStartThreshold - Window);
            Window += grown;
            bytes -= grown;
        }

        if (bytes > 0)
        {
            Avoid(bytes, rttNs, nowNs);
        }
    }

    /// <summary>A loss begins a recovery: sets <see cref="SlowStartThreshold"/>; the window follows it by RFC 6937.</summary>
    public abstract void OnLoss(long nowNs);

    /// <summary>Remembers how things are before a loss is answered.</summary>
    public virtual void Remember() => (_windowBefore, _thresholdBefore) = (Window, SlowStartThreshold);

    /// <summary>Nothing was lost: goes back to what was remembered (RFC 9438 section 4.9).</summary>
    public virtual void Undo() => (Window, SlowStartThreshold) = (Math.Max(Window, _windowBefore), Math.Max(SlowStartThreshold, _thresholdBefore));

    /// <summary>The retransmission timer ran out.</summary>
    public virtual void OnTimeout(long nowNs)
    {
        OnLoss(nowNs);
        Window = Mss;
    }

    /// <summary>Nothing has been sent for longer than a retransmission time (RFC 9293 section 3.8.2, RFC 7661).</summary>
    public virtual void OnIdle(int periods)
    {
        int restart = Math.Min(TcpLimits.InitialWindowSegments * Mss, Window);
        SlowStartThreshold = Math.Max(SlowStartThreshold, (Window >> 1) + (Window >> 2));
        Window = Math.Max(Window >> Math.Min(periods, 30), restart);
    }

    /// <summary>Grows the window behind slow start.</summary>
    protected abstract void Avoid(int bytes, long rttNs, long nowNs);
}
