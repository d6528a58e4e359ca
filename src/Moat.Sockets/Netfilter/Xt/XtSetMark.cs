using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>MARK and CONNMARK: change the packet's or its connection's mark (<c>struct xt_mark_tginfo2</c>, <c>struct xt_connmark_tginfo1</c>).</summary>
internal sealed class XtSetMark(XtMarkMode mode, uint mark, uint mask, uint secondMask = 0) : FilterExpression
{
    /// <summary>Bytes of <c>struct xt_mark_tginfo2</c>.</summary>
    public const int Length = 8;

    /// <summary>Bytes of <c>struct xt_connmark_tginfo1</c>.</summary>
    public const int ConnectionLength = 16;

    /// <inheritdoc/>
    public override bool NeedsTracking => mode != XtMarkMode.Packet;

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        if (mode == XtMarkMode.Packet)
        {
            packet.Packet.Mark = (packet.Packet.Mark & ~mask) ^ mark;
            return FilterStep.Continue;
        }

        if (packet.Packet.Flow is not { } flow)
        {
            return FilterStep.Continue;
        }

        switch (mode)
        {
            case XtMarkMode.SetConnection:
                flow.Mark = (flow.Mark & ~mask) ^ mark;
                break;
            case XtMarkMode.Save:
                flow.Mark = (flow.Mark & ~mask) ^ (packet.Packet.Mark & secondMask);
                break;
            default:
                packet.Packet.Mark = (packet.Packet.Mark & ~secondMask) ^ (flow.Mark & mask);
                break;
        }

        return FilterStep.Continue;
    }
}
