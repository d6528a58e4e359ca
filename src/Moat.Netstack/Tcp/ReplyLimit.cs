using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Limits what is answered to segments that do not fit, to one in half a second behind a burst (tcp_invalid_ratelimit, which knows no burst): an attacker must not make this side talk (RFC 5961 section 7), nor two
/// sides that are at odds each other for ever. Guarded by the lock of its owner.</summary>
/// <param name="burst">How many may come at once after a silence.</param>
internal struct ReplyLimit(int burst)
{
    private const long IntervalNs = 500_000_000;

    private long _usedUntilNs; // each answer uses up an interval; those of a burst are used ahead

    /// <summary>Whether an answer may be sent now.</summary>
    public bool TryTake(long nowNs)
    {
        long from = Math.Max(_usedUntilNs, nowNs);
        if (from - nowNs > (burst - 1) * IntervalNs)
        {
            return false;
        }

        _usedUntilNs = from + IntervalNs;
        return true;
    }

    /// <summary>Whether a segment outside of the window may be answered now. One with data or FIN always: its sender waits for the answer, and an answer holds neither.</summary>
    public bool TryTake(in TcpSegment segment, long nowNs) => (segment.End != segment.Start && !segment.Has(TcpFlags.SYN)) || TryTake(nowNs);
}
