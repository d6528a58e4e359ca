using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The timer of a connection on which nothing happens: keep-alive probes (RFC 9293 section 3.8.4), and the end of an orphan that waits for the peer's FIN. Guarded by the connection's lock.</summary>
internal sealed class TcpKeepAlive
{
    private readonly TcpConnection _connection;
    private readonly TcpTimer _timer;
    private long _lastReceivedNs;
    private int _probes;

    /// <summary>Of a connection.</summary>
    public TcpKeepAlive(TcpConnection connection)
    {
        _connection = connection;
        _timer = new TcpTimer(connection, static (owner, now) => owner.KeepAlive.OnTimer(now));
    }

    /// <summary>When it expires; 0 if it is not set.</summary>
    public long DeadlineNs => _timer.ExpiryNs;

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
        if (_connection.Options.KeepAlive && _connection.State is TcpState.Established or TcpState.CloseWait)
        {
            _probes = 0;
            _timer.Set(nowNs + _connection.Options.KeepAliveIdleNs);
        }
    }

    /// <summary>The connection has no socket and everything it sent is acknowledged: the peer's FIN is waited for, but not for ever.</summary>
    public void WaitForFin(long nowNs) => _timer.Set(nowNs + _connection.Options.FinTimeoutNs);

    /// <summary>The connection has ended.</summary>
    public void Clear() => _timer.Remove();

    private void OnTimer(long nowNs)
    {
        if (_connection.State == TcpState.FinWait2 && _connection.Observer is null)
        {
            _connection.LeaveToTimeWait(nowNs);
            return;
        }

        TcpOptionSet options = _connection.Options;
        if (!options.KeepAlive || _connection.State is not (TcpState.Established or TcpState.CloseWait))
        {
            return;
        }

        long idle = nowNs - _lastReceivedNs;
        if (idle < options.KeepAliveIdleNs)
        {
            _timer.Set(_lastReceivedNs + options.KeepAliveIdleNs);
            return;
        }

        if (_probes >= options.KeepAliveCount && (options.UserTimeoutNs == 0 || idle >= options.UserTimeoutNs))
        {
            _connection.Abort(NetError.TimedOut);
            return;
        }

        _probes++;
        _connection.Transmitter.SendControl(_connection.Sender.Unacknowledged - 1, TcpFlags.ACK);
        _timer.Set(nowNs + options.KeepAliveIntervalNs);
    }
}
