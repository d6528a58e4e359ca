namespace Moat.Netstack.Filter;

/// <summary>A rule: expressions that are evaluated one after the other until one says otherwise.</summary>
/// <param name="Expressions">They.</param>
public sealed record FilterRule(FilterExpression[] Expressions);
