namespace Moat.Netstack.Filter;

/// <summary>What a base chain is for.</summary>
public enum FilterChainKind
{
    /// <summary>It sees every packet.</summary>
    Filter,

    /// <summary>It sees the first packet of each connection and sets how its addresses are changed.</summary>
    Nat,

    /// <summary>It sees every packet that is sent, which finds its way anew if the chain has changed its addresses.</summary>
    Route,
}
