using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>mark and connmark: the packet's or its connection's mark (<c>struct xt_mark_mtinfo1</c>).</summary>
internal sealed class XtMark(uint mark, uint mask, bool isInverted, bool isOfConnection) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 12;

    /// <inheritdoc/>
    public override bool NeedsTracking => isOfConnection;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        uint? value = isOfConnection ? packet.Packet.Flow?.Mark : packet.Packet.Mark;
        return value is { } known && (known & mask) == mark != isInverted;
    }
}
