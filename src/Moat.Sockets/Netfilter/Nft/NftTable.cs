using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Nft.Expressions;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A table in one version of the ruleset.</summary>
internal sealed class NftTable(NetfilterFamily family, string name, ulong handle)
{
    /// <summary>NFT_TABLE_F_DORMANT: its chains see no packet.</summary>
    public const uint Dormant = 1;

    private NftHandles _handles = new();
    private FilterRuleset? _compiled; // null after a change

    /// <summary>Whose packets it is for.</summary>
    public NetfilterFamily Family => family;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Its number.</summary>
    public ulong Handle => handle;

    /// <summary>NFT_TABLE_F_*.</summary>
    public uint Flags { get; set; }

    /// <summary>What user space keeps with it.</summary>
    public byte[] UserData { get; init; } = [];

    /// <summary>Its chains, in the order in which they were made.</summary>
    public List<NftChain> Chains { get; private init; } = [];

    /// <summary>Its sets and maps.</summary>
    public List<NftSet> Sets { get; private init; } = [];

    /// <summary>How much is in it: what user space sees as its use.</summary>
    public int Use => Chains.Count + Sets.Count;

    /// <summary>A number for something new in it.</summary>
    public ulong NextHandle() => _handles.Next();

    /// <summary>It has changed.</summary>
    public void Touch() => _compiled = null;

    /// <summary>A place for a new chain.</summary>
    public int FreeSlot()
    {
        int slot = 0;
        while (Chains.Exists(chain => chain.Identity.Slot == slot))
        {
            slot++;
        }

        return slot;
    }

    /// <summary>The chain with a name, or null.</summary>
    public NftChain? FindChain(string wanted) => Chains.Find(chain => chain.Name == wanted);

    /// <summary>The set with a name, or null.</summary>
    public NftSet? FindSet(string wanted) => Sets.Find(set => set.Name == wanted);

    /// <summary>How many rules and elements lead to a chain.</summary>
    public int CountReferences(NftChainIdentity chain)
    {
        int count = 0;
        foreach (NftChain other in Chains)
        {
            foreach (NftRule rule in other.Rules)
            {
                foreach (NftExpression expression in rule.Expressions)
                {
                    count += expression.Target == chain ? 1 : 0;
                }
            }
        }

        foreach (NftSet set in Sets)
        {
            if (set.DataType == NftSet.VerdictType)
            {
                foreach (NftElement element in set.Elements)
                {
                    count += element.Target == chain ? 1 : 0;
                }
            }
        }

        return count;
    }

    /// <summary>Whether any rule looks packets up in a set.</summary>
    public bool IsUsed(NftSetIdentity set) => Chains.Exists(chain => chain.Rules.Any(rule => Array.Exists(rule.Expressions, expression => expression.Set == set)));

    /// <summary>Removes what was made for a rule alone: its anonymous sets and chains.</summary>
    public void RemoveBoundTo(NftRule rule)
    {
        foreach (NftExpression expression in rule.Expressions)
        {
            if (expression.Set is { } set)
            {
                _ = Sets.RemoveAll(candidate => candidate.Identity == set && candidate.Has(NftSet.Anonymous));
            }
        }
    }

    /// <summary>The table in the next version.</summary>
    public NftTable Clone() => new(family, name, handle)
    {
        Flags = Flags,
        UserData = UserData,
        Chains = Chains.ConvertAll(static chain => chain.Clone()),
        Sets = Sets.ConvertAll(static set => set.Clone()),
        _handles = _handles,
        _compiled = _compiled,
    };

    /// <summary>The table for the engine.</summary>
    public FilterRuleset Compile()
    {
        if (_compiled is not null)
        {
            return _compiled;
        }

        int slots = 0;
        foreach (NftChain chain in Chains)
        {
            slots = Math.Max(slots, chain.Identity.Slot + 1);
        }

        FilterRule[][] chains = new FilterRule[slots][];
        Array.Fill(chains, []);
        List<FilterBase> bases = [];
        foreach (NftChain chain in Chains)
        {
            chains[chain.Identity.Slot] = [.. chain.Rules.Select(static rule => rule.Compiled)];
            if (chain.Hook is { } hook && (Flags & Dormant) == 0)
            {
                bases.Add(new FilterBase(chain.Identity, hook.Hook, hook.Priority, hook.Kind, hook.IsDropping ? FilterStep.Drop : FilterStep.Accept) { PolicyCounter = chain.Counter });
            }
        }

        return _compiled = new FilterRuleset { HasV4 = family != NetfilterFamily.NFPROTO_IPV6, HasV6 = family != NetfilterFamily.NFPROTO_IPV4, Chains = chains, Bases = [.. bases] };
    }
}
