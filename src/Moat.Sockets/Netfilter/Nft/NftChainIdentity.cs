using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>What rules know a chain by, whatever version of the ruleset they are in.</summary>
/// <param name="slot">Its place among the table's chains.</param>
/// <param name="name">Its name.</param>
internal sealed class NftChainIdentity(int slot, string name) : FilterChain(slot)
{
    /// <summary>Its name, as of the last commit.</summary>
    public string Name { get; set; } = name;
}
