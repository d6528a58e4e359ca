using Moat.Netstack.Filter;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>iprange: ranges of addresses (<c>struct xt_iprange_mtinfo</c>).</summary>
internal sealed class XtIpRange(IpAddress sourceMin, IpAddress sourceMax, IpAddress destinationMin, IpAddress destinationMax, byte flags) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 68;

    private const byte OfSource = 1;
    private const byte OfDestination = 2;
    private const byte InvertSource = 16;
    private const byte InvertDestination = 32;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet) =>
        ((flags & OfSource) == 0 || IsBetween(packet.Source, sourceMin, sourceMax) != ((flags & InvertSource) != 0))
        && ((flags & OfDestination) == 0 || IsBetween(packet.Destination, destinationMin, destinationMax) != ((flags & InvertDestination) != 0));

    private static bool IsBetween(IpAddress address, IpAddress min, IpAddress max) => address.Value >= min.Value && address.Value <= max.Value;
}
