namespace Moat.Netstack.Filter;

/// <summary>Says what happens to a packet.</summary>
/// <param name="step">What.</param>
/// <param name="target">The chain that a jump leads to.</param>
public sealed class Verdict(FilterStep step, FilterChain? target = null) : FilterExpression
{
    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        packet.Target = target;
        return step;
    }
}
