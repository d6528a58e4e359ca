using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Tracking;

/// <summary>Finds the connection of each packet (nf_conntrack).</summary>
internal sealed class FlowTracker(NetworkStack stack, FlowTable flows)
{
    private const int FlagsOffset = 13;
    private const int QuoteLength = 8;

    /// <summary>Gives a packet its connection and what it is to it.</summary>
    public void Track(ref FilterPacket packet)
    {
        Packets.Packet carrier = packet.Packet;
        if (carrier.FlowState != PacketFlowState.None)
        {
            return; // it has gone out already, to loopback
        }

        Span<byte> transport = stackalloc byte[TcpHeader.MinLength];
        int length = carrier.CopyTo(packet.TransportOffset, transport);
        transport = transport[..length];
        if (!FlowTuple.TryRead(packet.Source, packet.Destination, packet.Protocol, transport, out FlowTuple tuple) || (packet.Protocol == IpProtocol.Tcp && length < TcpHeader.MinLength))
        {
            carrier.FlowState = PacketFlowState.Invalid;
            return;
        }

        if (tuple.IsIcmp && IsIcmpError(packet.Protocol, transport[0]))
        {
            TrackError(ref packet);
            return;
        }

        if (packet.Protocol == IpProtocol.IcmpV6 && transport[0] is (>= 130 and <= 137) or IcmpV6Type.MulticastListenerReportV2)
        {
            carrier.FlowState = PacketFlowState.Untracked; // what keeps the link going is nobody's connection
            return;
        }

        TcpFlags flags = packet.Protocol == IpProtocol.Tcp ? (TcpFlags)transport[FlagsOffset] : 0;
        TrackedFlow? flow = flows.Find(tuple);
        if (flow is not null && (flags & (TcpFlags.SYN | TcpFlags.ACK | TcpFlags.RST | TcpFlags.FIN)) == TcpFlags.SYN && TcpTracking.IsOver(flow.Tcp))
        {
            flows.Remove(flow); // the ends are used again
            flow = null;
        }

        bool isReply = flow is not null && flow.Original != tuple;
        if (flow is null)
        {
            if (tuple.IsIcmp && !IsIcmpRequest(packet.Protocol, transport[0]))
            {
                carrier.FlowState = PacketFlowState.Invalid;
                return;
            }

            flow = flows.Create(tuple);
        }

        if (isReply)
        {
            flow.Add(FlowStatus.SeenReply);
        }

        if (!flow.Follow(flags, isReply, stack.Host.NowNs))
        {
            carrier.FlowState = PacketFlowState.Invalid;
            return;
        }

        carrier.Flow = flow;
        carrier.IsFlowReply = isReply;
        carrier.FlowState = isReply || flow.Has(FlowStatus.SeenReply) ? PacketFlowState.Established : PacketFlowState.New;
    }

    /// <summary>The packet has got through: its connection is one.</summary>
    /// <returns>False if it cannot be, and the packet is to be dropped.</returns>
    public bool Confirm(ref FilterPacket packet)
    {
        if (packet.Packet.Flow is not { } flow || flow.Has(FlowStatus.Confirmed | FlowStatus.Dying) || packet.Packet.FlowState == PacketFlowState.Related)
        {
            return true;
        }

        if (flows.Confirm(flow) is not { } confirmed)
        {
            return false;
        }

        packet.Packet.Flow = confirmed;
        return true;
    }

    /// <summary>Whether an ICMP message tells of an error of another packet, which it quotes.</summary>
    public static bool IsIcmpError(IpProtocol protocol, byte type) => protocol == IpProtocol.IcmpV6
        ? type < IcmpV6Type.EchoRequest
        : type is IcmpType.DestinationUnreachable or 4 or IcmpType.Redirect or IcmpType.TimeExceeded or IcmpType.ParameterProblem;

    /// <summary>Reads the ends of the packet that an ICMP error quotes.</summary>
    /// <param name="packet">The error.</param>
    /// <param name="offset">Where the quoted IP header begins.</param>
    /// <param name="transportOffset">Where what it carries begins.</param>
    /// <param name="quoted">Its ends.</param>
    public static bool TryReadQuoted(ref FilterPacket packet, out int offset, out int transportOffset, out FlowTuple quoted)
    {
        offset = packet.TransportOffset + IcmpHeader.Length;
        transportOffset = 0;
        quoted = default;
        Span<byte> header = stackalloc byte[Ipv6Header.Length];
        Span<byte> transport = stackalloc byte[QuoteLength];
        if (packet.IsV6)
        {
            transportOffset = offset + Ipv6Header.Length;
            return packet.TryRead(offset, header) && Ipv6Header.TryParse(header, out Ipv6Header v6) && packet.TryRead(transportOffset, transport)
                && FlowTuple.TryRead(v6.Source, v6.Destination, v6.NextHeader, transport, out quoted);
        }

        header = header[..Ipv4Header.MinLength];
        if (!packet.TryRead(offset, header) || header[0] >> 4 != 4 || (header[0] & 0xf) * 4 < Ipv4Header.MinLength)
        {
            return false;
        }

        transportOffset = offset + ((header[0] & 0xf) * 4);
        return packet.TryRead(transportOffset, transport)
            && FlowTuple.TryRead(IpAddress.FromBytes(header[12..16]), IpAddress.FromBytes(header[16..20]), (IpProtocol)header[9], transport, out quoted);
    }

    // An error belongs to the connection whose packet it quotes, and goes against that packet's direction.
    private void TrackError(ref FilterPacket packet)
    {
        packet.Packet.FlowState = PacketFlowState.Invalid;
        if (TryReadQuoted(ref packet, out _, out _, out FlowTuple quoted) && flows.Find(quoted.Inverse) is { } flow)
        {
            packet.Packet.Flow = flow;
            packet.Packet.IsFlowReply = flow.Original != quoted.Inverse;
            packet.Packet.FlowState = PacketFlowState.Related;
        }
    }

    private static bool IsIcmpRequest(IpProtocol protocol, byte type) => protocol == IpProtocol.IcmpV6 ? type is IcmpV6Type.EchoRequest or 139 : type is IcmpType.Echo or 13 or 15 or 17;
}
