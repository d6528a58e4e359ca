using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>comment, and LOG, which in a network namespace that is not the host's writes nothing (nf_log_all_netns).</summary>
internal sealed class XtAlways : XtMatch
{
    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet) => true;
}
