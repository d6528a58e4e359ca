namespace Moat.Netstack.Tcp;

/// <summary>Measures the round trip and derives the retransmission time (RFC 6298), with the smallest round trip that RACK wants. Guarded by the connection's lock.</summary>
internal struct RttEstimator
{
    private long _minWindowStartNs;

    /// <summary>The smoothed round trip, or 0 before the first measurement.</summary>
    public long SmoothedNs { get; private set; }

    /// <summary>Its variation.</summary>
    public long VariationNs { get; private set; }

    /// <summary>The smallest of the last minutes, or 0.</summary>
    public long MinNs { get; private set; }

    /// <summary>The retransmission time without back-off.</summary>
    public readonly long RtoNs => SmoothedNs == 0
        ? TcpLimits.InitialRtoNs
        : Math.Clamp(SmoothedNs + Math.Max(4 * VariationNs, TcpLimits.MinRtoNs), TcpLimits.MinRtoNs, TcpLimits.MaxRtoNs);

    /// <summary>Takes a measurement; never one of a segment that was sent twice (Karn's rule).</summary>
    public void Add(long rttNs, long nowNs)
    {
        const long MinWindowNs = 300_000_000_000; // tcp_min_rtt_wlen
        rttNs = Math.Max(rttNs, 1);
        if (SmoothedNs == 0)
        {
            SmoothedNs = rttNs;
            VariationNs = rttNs / 2;
        }
        else
        {
            VariationNs += (Math.Abs(SmoothedNs - rttNs) - VariationNs) / 4;
            SmoothedNs += (rttNs - SmoothedNs) / 8;
        }

        if (MinNs == 0 || rttNs <= MinNs || nowNs - _minWindowStartNs > MinWindowNs)
        {
            MinNs = rttNs;
            _minWindowStartNs = nowNs;
        }
    }
}
