using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>length: the packet's bytes (<c>struct xt_length_info</c>).</summary>
internal sealed class XtLength(ushort min, ushort max, bool isInverted) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 6;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet) => (packet.Length >= min && packet.Length <= max) != isInverted;
}
