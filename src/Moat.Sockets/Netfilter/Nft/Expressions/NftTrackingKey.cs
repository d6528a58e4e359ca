using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary>What is known of a packet's connection (enum nft_ct_keys).</summary>
internal enum NftTrackingKey : uint
{
    NFT_CT_STATE,
    NFT_CT_DIRECTION,
    NFT_CT_STATUS,
    NFT_CT_MARK,
    NFT_CT_EXPIRATION = 5,
    NFT_CT_L3PROTOCOL = 7,
    NFT_CT_SRC,
    NFT_CT_DST,
    NFT_CT_PROTOCOL,
    NFT_CT_PROTO_SRC,
    NFT_CT_PROTO_DST,
    NFT_CT_ZONE = 17,
    NFT_CT_SRC_IP = 19,
    NFT_CT_DST_IP,
    NFT_CT_SRC_IP6,
    NFT_CT_DST_IP6,
    NFT_CT_ID,
}
