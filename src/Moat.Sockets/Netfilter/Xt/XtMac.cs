using Moat.Netstack.Filter;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>mac: the link-layer address that a packet came from (<c>struct xt_mac_info</c>).</summary>
internal sealed class XtMac(byte[] address, bool isInverted) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 12;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        int start = packet.Packet.LinkHeader;
        if (packet.Input is not { HasEthernet: true } || start < 0 || packet.Packet.Start - start < EthernetHeader.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> source = packet.Packet.LinearFrom(start).Slice(EthernetAddress.Length, EthernetAddress.Length);
        return source.SequenceEqual(address) != isInverted;
    }
}
