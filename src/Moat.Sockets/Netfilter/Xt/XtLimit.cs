using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>limit: so many packets in a time (<c>struct xt_rateinfo</c>).</summary>
internal sealed class XtLimit(long costNs, TokenBucket bucket) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 40;

    /// <summary>XT_LIMIT_SCALE: parts of a second that the time between two packets is given in.</summary>
    public const long Scale = 10_000;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet) => bucket.TryTake(packet.Stack.Host.NowNs, costNs);
}
