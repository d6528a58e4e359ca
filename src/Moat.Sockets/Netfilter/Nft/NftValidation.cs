using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Nft.Expressions;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Checks a version of the ruleset before packets see it: what base chains lead to is not too deep, and every expression may stand where it does.</summary>
internal sealed class NftValidation(NftTable table)
{
    /// <summary>How many rules and elements all tables may have together.</summary>
    public const int MaxWeight = 262_144;

    private readonly Dictionary<NftChainIdentity, NftChain> _chains = table.Chains.ToDictionary(static chain => chain.Identity);
    private readonly Dictionary<NftChainIdentity, int> _levels = []; // the deepest that each has been looked at

    /// <summary>Checks all tables.</summary>
    /// <returns>EMLINK, ENOMEM, what an expression says.</returns>
    public static Errno Check(NftRuleset ruleset)
    {
        long weight = 0;
        foreach (NftTable table in ruleset.Tables)
        {
            foreach (NftChain chain in table.Chains)
            {
                weight += chain.Rules.Count;
            }

            foreach (NftSet set in table.Sets)
            {
                weight += set.Elements.Count;
            }

            Errno errno = weight > MaxWeight ? Errno.ENOMEM : new NftValidation(table).Check();
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return Errno.None;
    }

    private Errno Check()
    {
        foreach (NftChain chain in table.Chains)
        {
            if (chain.Hook is { } hook)
            {
                _levels.Clear();
                Errno errno = Visit(chain, hook, 0);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }

        return Errno.None;
    }

    // A chain is looked at again only if it is reached deeper than before: no more than MaxDepth times.
    private Errno Visit(NftChain chain, NftHook hook, int level)
    {
        if (level == FilterRuleset.MaxDepth)
        {
            return Errno.EMLINK;
        }

        if (_levels.TryGetValue(chain.Identity, out int before) && before >= level)
        {
            return Errno.None;
        }

        _levels[chain.Identity] = level;
        foreach (NftRule rule in chain.Rules)
        {
            foreach (NftExpression expression in rule.Expressions)
            {
                Errno errno = expression.Validate(hook);
                errno = errno != Errno.None ? errno : VisitTargets(expression, hook, level + 1);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }

        return Errno.None;
    }

    private Errno VisitTargets(NftExpression expression, NftHook hook, int level)
    {
        if (expression.Target is { } target)
        {
            return _chains.TryGetValue(target, out NftChain? chain) ? Visit(chain, hook, level) : Errno.ENOENT;
        }

        if (expression.Set is not { } identity || table.Sets.Find(candidate => candidate.Identity == identity) is not { DataType: NftSet.VerdictType } map)
        {
            return Errno.None;
        }

        foreach (NftElement element in map.Elements)
        {
            if (element.Target is { } to && _chains.TryGetValue(to, out NftChain? chain))
            {
                Errno errno = Visit(chain, hook, level);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }

        return Errno.None;
    }
}
