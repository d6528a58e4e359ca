using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>When less than a full segment may go out: Nagle's algorithm (RFC 9293 section 3.7.4), TCP_CORK and MSG_MORE. Guarded by the connection's lock.</summary>
/// <remarks>As in Linux, it waits for another small segment, not for full ones (Minshall's modification): the end of a long write does not wait for an acknowledgment that the peer puts off.</remarks>
internal sealed class PartialSegments(TcpConnection connection)
{
    private TcpTimer? _timer; // made when it is set for the first time: most connections never do
    private bool _isExpired;
    private SequenceNumber _smallEnd; // behind the last segment that was not full

    /// <summary>MSG_MORE: the last write said that more follows.</summary>
    public bool MoreFollows { get; set; }

    /// <summary>Whether <paramref name="bytes"/>, less than a full segment, may go out now.</summary>
    public bool MaySend(int bytes)
    {
        if (connection.Sender.Urgent.IsSet)
        {
            return true;
        }

        if ((connection.Options.Cork || MoreFollows) && !_isExpired)
        {
            if (_timer is not { IsSet: true })
            {
                Timer.Set(connection.Stack.Host.NowNs + TcpLimits.CorkNs);
            }

            return connection.WantsFin;
        }

        return connection.Options.NoDelay || !IsSmallInFlight || connection.WantsFin || bytes >= connection.Sender.Mss;
    }

    /// <summary>Data up to a sequence number has been sent for the first time.</summary>
    public void OnSent(SequenceNumber end, int length)
    {
        if (length % connection.Sender.Mss != 0)
        {
            _smallEnd = end;
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Clear() => _timer?.Remove();

    private TcpTimer Timer => _timer ??= new TcpTimer(connection, static (owner, now) => owner.Partials.OnExpired(now));

    private bool IsSmallInFlight => _smallEnd > connection.Sender.Unacknowledged && _smallEnd <= connection.Sender.Next;

    private void OnExpired(long nowNs)
    {
        _isExpired = true;
        connection.Sender.Output(nowNs);
        _isExpired = false;
    }
}
