using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>addrtype: what the routing table says the packet's addresses are (<c>struct xt_addrtype_info_v1</c>).</summary>
internal sealed class XtAddrType(ushort source, ushort destination, uint flags) : XtMatch
{
    /// <summary>Bytes of <c>struct xt_addrtype_info_v1</c>.</summary>
    public const int Length = 8;

    /// <summary>Bytes of <c>struct xt_addrtype_info</c>.</summary>
    public const int LengthV0 = 12;

    /// <summary>XT_ADDRTYPE_INVERT_SOURCE.</summary>
    public const uint InvertSource = 1;

    /// <summary>XT_ADDRTYPE_INVERT_DEST.</summary>
    public const uint InvertDestination = 2;

    /// <summary>XT_ADDRTYPE_LIMIT_IFACE_IN.</summary>
    public const uint OfInput = 4;

    /// <summary>XT_ADDRTYPE_LIMIT_IFACE_OUT.</summary>
    public const uint OfOutput = 8;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        int link = (flags & OfInput) != 0 ? packet.Input?.Index ?? 0 : (flags & OfOutput) != 0 ? packet.Output?.Index ?? 0 : 0;
        return (source == 0 || IsOneOf(AddressKinds.Of(packet.Stack, packet.Source, link), source) != ((flags & InvertSource) != 0))
            && (destination == 0 || IsOneOf(AddressKinds.Of(packet.Stack, packet.Destination, link), destination) != ((flags & InvertDestination) != 0));
    }

    private static bool IsOneOf(uint kind, ushort kinds) => (kinds >> (int)kind & 1) != 0;
}
