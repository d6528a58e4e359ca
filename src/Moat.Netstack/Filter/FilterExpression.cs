namespace Moat.Netstack.Filter;

/// <summary>A part of a rule: a condition or an action. Immutable but for counters; any thread evaluates it, without allocating.</summary>
public abstract class FilterExpression
{
    /// <summary>Whether it needs to know the packet's connection.</summary>
    public virtual bool NeedsTracking => false;

    /// <summary>Looks at a packet, or changes it.</summary>
    public abstract FilterStep Evaluate(ref FilterPacket packet);
}
