using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>What is left of a connection for a minute after it has closed (RFC 9293 section 3.6.1): enough to acknowledge a FIN that comes again, and to refuse old segments.</summary>
/// <param name="layer">The protocol.</param>
/// <param name="key">The two ends.</param>
/// <param name="next">SND.NXT.</param>
/// <param name="receiveNext">RCV.NXT.</param>
/// <param name="window">The window of its last segment, as it stands in the header.</param>
/// <param name="recentTimestamp">The last timestamp of the peer, if there were any.</param>
internal sealed class TcpTimeWait(TcpLayer layer, FlowKey key, SequenceNumber next, SequenceNumber receiveNext, int window, uint? recentTimestamp) : TcpFlow(key)
{
    private const long ReuseDelayNs = 1_000_000_000;

    private readonly Lock _lock = new();
    private ReplyLimit _replies = new(burst: 8); // guarded by _lock
    private Expiry? _expiry;
    private PortBinding? _binding;
    private long _startedNs;

    /// <summary>The port, which nobody may bind to meanwhile without SO_REUSEADDR; null if others may. Set before the wait begins.</summary>
    public PortBinding? Binding
    {
        get => _binding;
        set => _binding = value;
    }

    /// <summary>The last timestamp of the peer, if there were any.</summary>
    public uint? RecentTimestamp => recentTimestamp;

    /// <summary>What the next connection between the two ends must start behind.</summary>
    public SequenceNumber Next => next;

    /// <summary>Whether a connection to the peer may take its place: timestamps keep the two apart once the clock has moved on (RFC 6191, tcp_tw_reuse).</summary>
    public bool MayBeReused => recentTimestamp is not null && layer.Stack.Host.NowNs - Volatile.Read(ref _startedNs) >= ReuseDelayNs;

    /// <summary>Starts, or starts again, the minute.</summary>
    public void Restart(long nowNs)
    {
        Volatile.Write(ref _startedNs, nowNs);
        _expiry ??= new Expiry(this);
        layer.Stack.Timers.Set(_expiry, nowNs + TcpLimits.TimeWaitNs);
    }

    /// <summary>Ends it at once.</summary>
    public void End()
    {
        if (_expiry is { } expiry)
        {
            layer.Stack.Timers.Remove(expiry);
        }

        layer.Forget(this);
        if (Interlocked.Exchange(ref _binding, null) is { } binding)
        {
            layer.Ports.Release(binding);
        }
    }

    /// <inheritdoc/>
    public override int HeldBytes => 256;

    /// <inheritdoc/>
    public override TcpFlowStatus Describe()
    {
        long left = Volatile.Read(ref _startedNs) + TcpLimits.TimeWaitNs - layer.Stack.Host.NowNs;
        return new TcpFlowStatus { Local = Key.Local, Remote = Key.Remote, Status = new TcpStatus { State = TcpState.TimeWait, TimerLeftNs = left } };
    }

    /// <inheritdoc/>
    public override void Receive(Packet packet, in TcpSegment segment, in IpInfo info)
    {
        long now = layer.Stack.Host.NowNs;
        lock (_lock)
        {
            bool isNewerTime = recentTimestamp is { } recent && segment.Options.HasTimestamps && unchecked((int)(segment.Options.TimestampValue - recent)) > 0;
            if (segment.Has(TcpFlags.SYN) && !segment.Has(TcpFlags.ACK | TcpFlags.RST) && (segment.Start > receiveNext || isNewerTime))
            {
                // A new connection between the same ends, certainly not an old duplicate (RFC 6191).
                End();
                layer.ReceiveUnmatched(packet, segment, info, this);
                return;
            }

            packet.Release();
            if (segment.Has(TcpFlags.RST))
            {
                return; // RFC 1337: it does not shorten the wait
            }

            if (segment.Has(TcpFlags.FIN) || segment.End != receiveNext || segment.PayloadLength > 0)
            {
                if (segment.Has(TcpFlags.FIN))
                {
                    Restart(now);
                }

                if (_replies.TryTake(segment, now))
                {
                    layer.SendBare(Key, next, receiveNext, window, recentTimestamp);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void ReceiveError(in IpError error, SequenceNumber sequence)
    {
    }

    private sealed class Expiry(TcpTimeWait owner) : NetTimer
    {
        protected internal override void OnExpired(long nowNs) => owner.End();
    }
}
