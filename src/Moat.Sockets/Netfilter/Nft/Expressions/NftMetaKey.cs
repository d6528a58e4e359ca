using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary>What is known of a packet besides its bytes (enum nft_meta_keys).</summary>
internal enum NftMetaKey : uint
{
    NFT_META_LEN,
    NFT_META_PROTOCOL,
    NFT_META_PRIORITY,
    NFT_META_MARK,
    NFT_META_IIF,
    NFT_META_OIF,
    NFT_META_IIFNAME,
    NFT_META_OIFNAME,
    NFT_META_IIFTYPE,
    NFT_META_OIFTYPE,
    NFT_META_NFPROTO = 15,
    NFT_META_L4PROTO,
    NFT_META_PKTTYPE = 19,
    NFT_META_PRANDOM = 24,
}
