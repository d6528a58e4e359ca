using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>What makes a chain a base chain.</summary>
/// <param name="Hook">Where packets enter.</param>
/// <param name="Priority">In which order.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="IsDropping">Whether its policy is to drop.</param>
internal sealed record NftHook(FilterHook Hook, int Priority, FilterChainKind Kind, bool IsDropping);
