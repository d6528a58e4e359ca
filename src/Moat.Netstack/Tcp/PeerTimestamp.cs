namespace Moat.Netstack.Tcp;

/// <summary>The newest timestamp of the peer (TS.Recent): echoed to it, and what old duplicates are told by (RFC 7323 section 5). Guarded by the connection's lock.</summary>
internal struct PeerTimestamp
{
    private long _takenNs;

    /// <summary>The timestamp.</summary>
    public uint Recent { get; private set; }

    /// <summary>Remembers a timestamp.</summary>
    public void Take(uint value, long nowNs) => (Recent, _takenNs) = (value, nowNs);

    /// <summary>Whether a timestamp comes before the newest.</summary>
    public readonly bool IsBehind(uint value) => unchecked((int)(value - Recent)) < 0;

    /// <summary>Whether a segment with it is an old duplicate. After 24 days without one the newest says nothing any more: the peer's clock may have wrapped.</summary>
    public readonly bool IsOld(uint value, long nowNs)
    {
        const long MaxAgeNs = 24L * 86_400 * 1_000_000_000;
        return IsBehind(value) && nowNs - _takenNs < MaxAgeNs;
    }
}
