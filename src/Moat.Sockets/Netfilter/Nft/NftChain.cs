using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A chain in one version of the ruleset.</summary>
internal sealed class NftChain(NftChainIdentity identity, string name, ulong handle)
{
    private List<NftRule> _rules = [];
    private bool _ownsRules = true;

    /// <summary>What rules know it by.</summary>
    public NftChainIdentity Identity => identity;

    /// <summary>Its name.</summary>
    public string Name { get; set; } = name;

    /// <summary>Its number in the table.</summary>
    public ulong Handle => handle;

    /// <summary>The number that its transaction knows it by, or 0.</summary>
    public uint Id { get; init; }

    /// <summary>NFT_CHAIN_*, without NFT_CHAIN_BASE.</summary>
    public uint Flags { get; init; }

    /// <summary>Where packets enter; null if only rules lead to it.</summary>
    public NftHook? Hook { get; set; }

    /// <summary>Packets that reached a base chain's end; null unless user space asked for it.</summary>
    public RuleCounter? Counter { get; set; }

    /// <summary>What user space keeps with it.</summary>
    public byte[] UserData { get; init; } = [];

    /// <summary>Its rules.</summary>
    public IReadOnlyList<NftRule> Rules => _rules;

    /// <summary>Its rules, to be changed.</summary>
    public List<NftRule> ChangeRules()
    {
        if (!_ownsRules)
        {
            _rules = [.. _rules];
            _ownsRules = true;
        }

        return _rules;
    }

    /// <summary>The chain in the next version; both share the rules until one changes.</summary>
    public NftChain Clone()
    {
        _ownsRules = false;
        return new NftChain(identity, Name, handle) { Hook = Hook, Counter = Counter, UserData = UserData, Flags = Flags, _rules = _rules, _ownsRules = false };
    }
}
