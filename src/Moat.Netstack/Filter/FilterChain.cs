namespace Moat.Netstack.Filter;

/// <summary>The name that rules know a chain by: its place among the chains of its <see cref="FilterRuleset"/>, the same in every version of it.</summary>
/// <param name="Slot">The index in <see cref="FilterRuleset.Chains"/>.</param>
public sealed record FilterChain(int Slot);
