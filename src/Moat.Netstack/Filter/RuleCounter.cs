namespace Moat.Netstack.Filter;

/// <summary>Counts packets that come so far in a rule, and their bytes.</summary>
public sealed class RuleCounter : FilterExpression
{
    private long _packets;
    private long _bytes;

    /// <summary>A counter that begins with given numbers.</summary>
    public RuleCounter(long packets = 0, long bytes = 0) => (_packets, _bytes) = (packets, bytes);

    /// <summary>Packets.</summary>
    public long Packets => Volatile.Read(ref _packets);

    /// <summary>Bytes, of IP headers on.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        Count(packet.Length);
        return FilterStep.Continue;
    }

    /// <summary>Counts a packet.</summary>
    public void Count(int length)
    {
        Interlocked.Increment(ref _packets);
        Interlocked.Add(ref _bytes, length);
    }

    /// <summary>Adds numbers.</summary>
    public void Add(long packets, long bytes)
    {
        Interlocked.Add(ref _packets, packets);
        Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>Takes the numbers and begins anew.</summary>
    public (long Packets, long Bytes) Take() => (Interlocked.Exchange(ref _packets, 0), Interlocked.Exchange(ref _bytes, 0));
}
