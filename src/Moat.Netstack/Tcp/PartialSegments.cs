namespace Moat.Netstack.Tcp;

/// <summary>When less than a full segment may go out: Nagle's algorithm (RFC 9293 section 3.7.4), TCP_CORK and MSG_MORE. Guarded by the connection's lock.</summary>
internal sealed class PartialSegments
{
    private readonly TcpConnection _connection;
    private readonly TcpTimer _timer;
    private bool _isExpired;

    /// <summary>Of a connection.</summary>
    public PartialSegments(TcpConnection connection)
    {
        _connection = connection;
        _timer = new TcpTimer(connection, static (owner, now) => owner.Partials.OnExpired(now));
    }

    /// <summary>MSG_MORE: the last write said that more follows.</summary>
    public bool MoreFollows { get; set; }

    /// <summary>Whether <paramref name="bytes"/>, less than a full segment, may go out now.</summary>
    public bool MaySend(int bytes, bool nothingInFlight)
    {
        if (_connection.Sender.Urgent.IsSet)
        {
            return true;
        }

        if ((_connection.Options.Cork || MoreFollows) && !_isExpired)
        {
            if (!_timer.IsSet)
            {
                _timer.Set(_connection.Stack.Host.NowNs + TcpLimits.CorkNs);
            }

            return _connection.WantsFin;
        }

        return _connection.Options.NoDelay || nothingInFlight || _connection.WantsFin || bytes >= _connection.Sender.Mss;
    }

    /// <summary>The connection has ended.</summary>
    public void Clear() => _timer.Remove();

    private void OnExpired(long nowNs)
    {
        _isExpired = true;
        _connection.Sender.Output(nowNs);
        _isExpired = false;
    }
}
