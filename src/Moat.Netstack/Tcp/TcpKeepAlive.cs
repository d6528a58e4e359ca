using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The timer of a connection on which nothing happens: keep-alive probes (RFC 9293 section 3.8.4), and the end of an orphan that waits for the peer's FIN. Guarded by the connection's lock.</summary>
internal sealed class TcpKeepAlive(TcpConnection connection)
{
    private TcpTimer? _timer; // made when it is set for the first time: most connections never do
    private long _lastReceivedNs;
    private int _probes;

    /// <summary>When it expires; 0 if it is not set.</summary>
    public long DeadlineNs => _timer?.ExpiryNs ?? 0;

    /// <summary>When a segment came last.</summary>
    public long LastReceivedNs => _lastReceivedNs;

    /// <summary>A segment has come: the peer lives, whatever probes are out.</summary>
    public void OnReceived(long nowNs)
    {
        _lastReceivedNs = nowNs;
        _probes = 0;
    }

    /// <summary>The connection stands, or its options have changed.</summary>
    public void Restart(long nowNs)
    {
        if (connection.Options.KeepAlive && connection.State is TcpState.Established or TcpState.CloseWait)
        {
            _probes = 0;
            Timer.Set(nowNs + connection.Options.KeepAliveIdleNs);
        }
    }

    /// <summary>The connection has no socket and everything it sent is acknowledged: the peer's FIN is waited for, but not for ever.</summary>
    public void WaitForFin(long nowNs) => Timer.Set(nowNs + connection.Options.FinTimeoutNs);

    /// <summary>The connection has ended.</summary>
    public void Clear() => _timer?.Remove();

    private TcpTimer Timer => _timer ??= new TcpTimer(connection, static (owner, now) => owner.KeepAlive.OnTimer(now));

    private void OnTimer(long nowNs)
    {
        if (connection.State == TcpState.FinWait2 && connection.Observer is null)
        {
            if (connection.Options.FinTimeoutNs < 0)
            {
                connection.Abort(NetError.ConnectionReset);
                return;
            }

            connection.LeaveToTimeWait(nowNs);
            return;
        }

        TcpOptionSet options = connection.Options;
        if (!options.KeepAlive || connection.State is not (TcpState.Established or TcpState.CloseWait))
        {
            return;
        }

        long idle = nowNs - _lastReceivedNs;
        if (idle < options.KeepAliveIdleNs)
        {
            Timer.Set(_lastReceivedNs + options.KeepAliveIdleNs);
            return;
        }

        if (_probes >= options.KeepAliveCount && (options.UserTimeoutNs == 0 || idle >= options.UserTimeoutNs))
        {
            connection.Abort(NetError.TimedOut);
            return;
        }

        _probes++;
        connection.Transmitter.SendControl(connection.Sender.Unacknowledged - 1, TcpFlags.ACK);
        Timer.Set(nowNs + options.KeepAliveIntervalNs);
    }
}
