using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Nft.Expressions;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A rule. Immutable, but for what its expressions count.</summary>
/// <param name="Handle">Its number in the table.</param>
/// <param name="Expressions">What it does.</param>
/// <param name="UserData">What user space keeps with it.</param>
/// <param name="Id">The number that its transaction knows it by, or 0.</param>
internal sealed record NftRule(ulong Handle, NftExpression[] Expressions, byte[] UserData, uint Id)
{
    /// <summary>The rule for the engine.</summary>
    public FilterRule Compiled { get; } = new([.. Expressions]);
}
