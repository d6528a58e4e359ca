using Moat.Netstack.Filter;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>icmp and icmp6: a type and a range of codes (<c>struct ipt_icmp</c>).</summary>
internal sealed class XtIcmp(IpProtocol protocol, byte type, byte minCode, byte maxCode, bool isInverted) : XtMatch
{
    /// <summary>Bytes of <c>struct ipt_icmp</c>.</summary>
    public const int Length = 4;

    private const byte AnyType = 255; // of IPv4

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        Span<byte> message = stackalloc byte[2];
        if (packet.Protocol != protocol || !packet.TryRead(packet.TransportOffset, message))
        {
            return false;
        }

        bool matches = (type == AnyType && protocol == IpProtocol.Icmp) || (message[0] == type && message[1] >= minCode && message[1] <= maxCode);
        return matches != isInverted;
    }
}
