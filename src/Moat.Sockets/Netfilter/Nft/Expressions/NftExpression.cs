using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary>An expression of a rule of nf_tables: what the engine evaluates, and what a dump shows.</summary>
internal abstract class NftExpression : FilterExpression
{
    /// <summary>Its kind.</summary>
    public abstract string Name { get; }

    /// <summary>The chain that it leads to.</summary>
    public virtual NftChainIdentity? Target => null;

    /// <summary>The set that it looks packets up in.</summary>
    public virtual NftSetIdentity? Set => null;

    /// <summary>Adds its attributes to a dump.</summary>
    /// <param name="writer">The dump.</param>
    /// <param name="reset">Whether what it counts begins anew.</param>
    public abstract void Write(NetlinkWriter writer, bool reset);

    /// <summary>Whether it may stand in a rule that packets reach from a base chain.</summary>
    /// <returns>EOPNOTSUPP, EINVAL.</returns>
    public virtual Errno Validate(NftHook hook) => Errno.None;
}
