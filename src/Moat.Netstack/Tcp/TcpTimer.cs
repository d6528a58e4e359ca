using Moat.Netstack.Timers;

namespace Moat.Netstack.Tcp;

/// <summary>A timer of a connection. It runs its action under the connection's lock, and only if it has not been cleared or put off meanwhile.</summary>
/// <param name="connection">Whose it is.</param>
/// <param name="expired">What to do; it captures nothing.</param>
internal sealed class TcpTimer(TcpConnection connection, Action<TcpConnection, long> expired) : NetTimer
{
    private long _setNs; // guarded by the connection's lock

    /// <summary>Whether it is set.</summary>
    public bool IsSet => _setNs != 0;

    /// <summary>When it expires; 0 if it is not set. Under the connection's lock.</summary>
    public long ExpiryNs => _setNs;

    /// <summary>Sets or moves it. Under the connection's lock.</summary>
    public void Set(long deadlineNs)
    {
        _setNs = deadlineNs;
        connection.Stack.Timers.Set(this, deadlineNs);
    }

    /// <summary>Clears it. Under the connection's lock.</summary>
    public void Clear()
    {
        if (_setNs != 0)
        {
            _setNs = 0;
            connection.Stack.Timers.Clear(this);
        }
    }

    /// <summary>Clears it for good: the connection has ended, and nothing is to hold it until the timer's time. Under the connection's lock.</summary>
    public void Remove()
    {
        _setNs = 0;
        connection.Stack.Timers.Remove(this);
    }

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs)
    {
        lock (connection.Lock)
        {
            if (_setNs != 0 && _setNs <= nowNs)
            {
                _setNs = 0;
                expired(connection, nowNs);
            }
        }
    }
}
