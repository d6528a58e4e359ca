namespace Moat.Netstack.Filter;

/// <summary>A chain that packets enter at a hook.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="Hook">Where.</param>
/// <param name="Priority">Chains with lower numbers come first.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Policy">What happens at its end: Accept or Drop.</param>
public sealed record FilterBase(FilterChain Chain, FilterHook Hook, int Priority, FilterChainKind Kind, FilterStep Policy)
{
    /// <summary>Packets that reached the end, if anybody wants to know.</summary>
    public RuleCounter? PolicyCounter { get; init; }
}
