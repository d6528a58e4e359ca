using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Netstack.Filter.Tracking;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>notrack</c>: the packet belongs to no connection.</summary>
internal sealed class NftNoTrack : NftExpression
{
    private readonly NoTrack _noTrack = new();

    /// <inheritdoc/>
    public override string Name => "notrack";

    /// <inheritdoc/>
    public override bool NeedsTracking => true;

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet) => _noTrack.Evaluate(ref packet);

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
    }
}
