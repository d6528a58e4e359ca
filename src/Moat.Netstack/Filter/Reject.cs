using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter;

/// <summary>Drops a packet and tells its sender.</summary>
/// <param name="kind">How.</param>
/// <param name="codeV4">The code of destination unreachable for IPv4.</param>
/// <param name="codeV6">The code for IPv6.</param>
public sealed class Reject(RejectKind kind, byte codeV4, byte codeV6) : FilterExpression
{
    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        if (kind == RejectKind.Reset)
        {
            SendReset(ref packet);
            return FilterStep.Drop;
        }

        RouteKind to = packet.Hook == FilterHook.Input ? RouteKind.Local : RouteKind.Unicast;
        IpInfo info = packet.ToInfo(to);
        packet.Packet.TransportHeader = packet.Packet.Start + packet.TransportOffset;
        packet.Stack.Errors.Report(packet.Packet, info, packet.IsV6 ? IcmpV6Type.DestinationUnreachable : IcmpType.DestinationUnreachable, packet.IsV6 ? codeV6 : codeV4, 0);
        return FilterStep.Drop;
    }

    private static void SendReset(ref FilterPacket packet)
    {
        Span<byte> bytes = stackalloc byte[TcpHeader.MaxLength];
        bytes = bytes[..packet.Packet.CopyTo(packet.TransportOffset, bytes)];
        if (packet.Protocol != IpProtocol.Tcp || !TcpHeader.TryParse(bytes, out TcpHeader header) || (header.Flags & TcpFlags.RST) != 0)
        {
            return;
        }

        TcpSegment segment = new() { Header = header, Options = default, PayloadLength = packet.Length - packet.TransportOffset - header.HeaderLength };
        packet.Stack.Tcp.SendReset(new FlowKey(new IpEndpoint(packet.Destination, header.DestinationPort), new IpEndpoint(packet.Source, header.SourcePort)), segment);
    }
}
