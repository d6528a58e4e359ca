namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Limits of what user space calls things.</summary>
internal static class NftNames
{
    /// <summary>NFT_NAME_MAXLEN: bytes of a name with its zero byte.</summary>
    public const int MaxLength = 256;

    /// <summary>NFT_USERDATA_MAXLEN: bytes that user space may keep with a thing.</summary>
    public const int MaxUserData = 256;
}
