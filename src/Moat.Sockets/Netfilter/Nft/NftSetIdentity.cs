namespace Moat.Sockets.Netfilter.Nft;

/// <summary>What rules know a set by, whatever version of the ruleset they are in, and its elements as of the last commit.</summary>
internal sealed class NftSetIdentity(string name)
{
    private NftElements _elements = NftElements.Empty;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>What packets are looked up in.</summary>
    public NftElements Elements
    {
        get => Volatile.Read(ref _elements);
        set => Volatile.Write(ref _elements, value);
    }
}
