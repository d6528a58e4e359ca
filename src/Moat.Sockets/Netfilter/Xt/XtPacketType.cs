using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Nft.Expressions;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>pkttype: how the packet was addressed (<c>struct xt_pkttype_info</c>).</summary>
internal sealed class XtPacketType(uint type, bool isInverted) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 8;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet) => NftMeta.PacketType(ref packet) == type != isInverted;
}
