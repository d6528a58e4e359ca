namespace Moat.Netstack.Filter;

/// <summary>A version of a table: its chains and where packets enter them. Immutable, so that a packet sees one version or the other, never a mixture.</summary>
public sealed class FilterRuleset
{
    /// <summary>How deep chains may call one another. Whoever makes a ruleset checks it.</summary>
    public const int MaxDepth = 16;

    /// <summary>Whether it looks at IPv4 packets.</summary>
    public required bool HasV4 { get; init; }

    /// <summary>Whether it looks at IPv6 packets.</summary>
    public required bool HasV6 { get; init; }

    /// <summary>The rules of each chain, by its slot.</summary>
    public required FilterRule[][] Chains { get; init; }

    /// <summary>Where packets enter.</summary>
    public required FilterBase[] Bases { get; init; }

    /// <summary>Whether any rule needs connections to be tracked.</summary>
    public bool NeedsTracking
    {
        get
        {
            foreach (FilterBase entry in Bases)
            {
                if (entry.Kind == FilterChainKind.Nat)
                {
                    return true;
                }
            }

            foreach (FilterRule[] rules in Chains)
            {
                foreach (FilterRule rule in rules)
                {
                    if (Array.Exists(rule.Expressions, static expression => expression.NeedsTracking))
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    /// <summary>Runs a base chain.</summary>
    /// <returns>Accept or Drop.</returns>
    internal FilterStep Run(FilterBase entry, ref FilterPacket packet)
    {
        FilterStep step = Run(entry.Chain, ref packet);
        if (step is FilterStep.Accept or FilterStep.Drop)
        {
            return step;
        }

        entry.PolicyCounter?.Count(packet.Length);
        return entry.Policy;
    }

    private FilterStep Run(FilterChain chain, ref FilterPacket packet)
    {
        FilterRule[] rules = Chains[chain.Slot];
        for (int i = 0; i < rules.Length; i++)
        {
            FilterStep step = Run(rules[i], ref packet);
            switch (step)
            {
                case FilterStep.Continue or FilterStep.Break:
                    break;
                case FilterStep.Jump:
                    step = Run(packet.Target!, ref packet);
                    if (step is FilterStep.Accept or FilterStep.Drop)
                    {
                        return step;
                    }

                    break;
                case FilterStep.Goto:
                    return Run(packet.Target!, ref packet);
                default:
                    return step;
            }
        }

        return FilterStep.Return;
    }

    private static FilterStep Run(FilterRule rule, ref FilterPacket packet)
    {
        foreach (FilterExpression expression in rule.Expressions)
        {
            FilterStep step = expression.Evaluate(ref packet);
            if (step != FilterStep.Continue)
            {
                return step;
            }
        }

        return FilterStep.Continue;
    }
}
