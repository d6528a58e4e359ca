using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>A match: a condition that ends the rule unless it holds.</summary>
internal abstract class XtMatch : FilterExpression
{
    /// <inheritdoc/>
    public sealed override FilterStep Evaluate(ref FilterPacket packet) => Matches(ref packet) ? FilterStep.Continue : FilterStep.Break;

    /// <summary>Whether it holds.</summary>
    protected abstract bool Matches(ref FilterPacket packet);
}
