using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>An element of a set or map.</summary>
/// <param name="Key">Its key; of an interval the first.</param>
/// <param name="Flags">NFT_SET_ELEM_*.</param>
internal sealed record NftElement(byte[] Key, uint Flags)
{
    /// <summary>NFT_SET_ELEM_INTERVAL_END: the keys from here on are none of the set's.</summary>
    public const uint IntervalEnd = 1;

    /// <summary>NFT_SET_ELEM_CATCHALL: what no other element holds.</summary>
    public const uint CatchAll = 2;

    /// <summary>The last key, if the element holds a range of its own; null otherwise.</summary>
    public byte[]? KeyEnd { get; init; }

    /// <summary>What a map has for it; empty if it is a verdict.</summary>
    public byte[] Data { get; init; } = [];

    /// <summary>The verdict that a map has for it.</summary>
    public FilterStep Step { get; init; }

    /// <summary>The chain that the verdict leads to.</summary>
    public NftChainIdentity? Target { get; init; }

    /// <summary>What user space keeps with it.</summary>
    public byte[] UserData { get; init; } = [];

    /// <summary>Whether it ends an interval.</summary>
    public bool IsEnd => (Flags & IntervalEnd) != 0;

    /// <summary>Whether both say the same of their key.</summary>
    public bool HasSameData(NftElement other) => Data.AsSpan().SequenceEqual(other.Data) && Step == other.Step && Target == other.Target;
}
