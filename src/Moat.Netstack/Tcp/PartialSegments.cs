using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>When less than a full segment may go out: Nagle's algorithm (RFC 9293 section 3.7.4), TCP_CORK and MSG_MORE. Guarded by the connection's lock.</summary>
/// <remarks>As in Linux, it waits for another small segment, not for full ones (Minshall's modification): the end of a long write does not wait for an acknowledgment that the peer puts off.</remarks>
internal sealed class PartialSegments
{
    private readonly TcpConnection _connection;
    private readonly TcpTimer _timer;
    private bool _isExpired;
    private SequenceNumber _smallEnd; // behind the last segment that was not full

    /// <summary>Of a connection.</summary>
    public PartialSegments(TcpConnection connection)
    {
        _connection = connection;
        _timer = new TcpTimer(connection, static (owner, now) => owner.Partials.OnExpired(now));
    }

    /// <summary>MSG_MORE: the last write said that more follows.</summary>
    public bool MoreFollows { get; set; }

    /// <summary>Whether <paramref name="bytes"/>, less than a full segment, may go out now.</summary>
    public bool MaySend(int bytes)
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

        return _connection.Options.NoDelay || !IsSmallInFlight || _connection.WantsFin || bytes >= _connection.Sender.Mss;
    }

    /// <summary>Data up to a sequence number has been sent for the first time.</summary>
    public void OnSent(SequenceNumber end, int length)
    {
        if (length % _connection.Sender.Mss != 0)
        {
            _smallEnd = end;
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Clear() => _timer.Remove();

    private bool IsSmallInFlight => _smallEnd > _connection.Sender.Unacknowledged && _smallEnd <= _connection.Sender.Next;

    private void OnExpired(long nowNs)
    {
        _isExpired = true;
        _connection.Sender.Output(nowNs);
        _isExpired = false;
    }
}
