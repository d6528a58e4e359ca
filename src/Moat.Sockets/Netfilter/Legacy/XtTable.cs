using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>A table of iptables.</summary>
internal sealed class XtTable(XtBlob blob)
{
    /// <summary>Its entries.</summary>
    public XtBlob Blob { get; set; } = blob;

    /// <summary>What packets see of it; null before anybody has changed it.</summary>
    public FilterRuleset? Ruleset { get; set; }
}
