namespace Moat.Netstack.Filter;

/// <summary>The name that rules know a chain by: its place among the chains of its <see cref="FilterRuleset"/>, the same in every version of it.</summary>
/// <param name="slot">The place.</param>
public class FilterChain(int slot)
{
    /// <summary>The index in <see cref="FilterRuleset.Chains"/>.</summary>
    public int Slot => slot;
}
