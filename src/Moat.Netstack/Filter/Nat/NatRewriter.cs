using System.Buffers.Binary;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Icmp;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Nat;

/// <summary>Changes addresses, ports and checksums of packets as their connections ask (nf_nat_packet).</summary>
internal static class NatRewriter
{
    private const int UdpChecksum = 6;
    private const int EchoIdentifier = 4;

    /// <summary>Changes one side of a packet.</summary>
    /// <param name="packet">The packet; its connection's NAT has been decided.</param>
    /// <param name="isSource">Which side this hook is for.</param>
    /// <returns>False if its headers are too short to be changed.</returns>
    public static bool Translate(ref FilterPacket packet, bool isSource)
    {
        if (packet.Packet.Flow is not { } flow)
        {
            return true;
        }

        bool isReply = packet.Packet.IsFlowReply;
        if (!flow.Has(isSource != isReply ? FlowStatus.SourceNat : FlowStatus.DestinationNat))
        {
            return true;
        }

        FlowTuple target = flow.Of(!isReply).Inverse;
        packet.Packet.Unshare();
        if (packet.Packet.FlowState == PacketFlowState.Related)
        {
            return TranslateError(ref packet, flow.Of(!isReply), target, isSource);
        }

        Place place = new(0, packet.TransportOffset, packet.Protocol, packet.Packet.Checksum);
        if (!Rewrite(packet.Packet.Linear, place, target, isSource, isQuoted: false))
        {
            return false;
        }

        SetAddress(ref packet, target, isSource);
        return true;
    }

    private static void SetAddress(ref FilterPacket packet, in FlowTuple target, bool isSource)
    {
        if (isSource)
        {
            packet.Source = target.Source;
        }
        else
        {
            packet.Destination = target.Destination;
        }
    }

    // The quoted packet went the other way: its other side is changed back. Of the error itself only the address is.
    private static bool TranslateError(ref FilterPacket packet, in FlowTuple quotedTarget, in FlowTuple target, bool isSource)
    {
        if (!FlowTracker.TryReadQuoted(ref packet, out int offset, out int transportOffset, out FlowTuple quoted))
        {
            return false;
        }

        Span<byte> bytes = packet.Packet.Linear;
        Place inner = new(offset, transportOffset, quoted.Protocol, ChecksumState.None);
        Place outer = new(0, packet.TransportOffset, IpProtocol.Raw, ChecksumState.Verified);
        if (transportOffset + 8 > bytes.Length || !Rewrite(bytes, inner, quotedTarget, !isSource, isQuoted: true) || !Rewrite(bytes, outer, target, isSource, isQuoted: false))
        {
            return false;
        }

        SetAddress(ref packet, target, isSource);
        packet.Packet.Pull(packet.TransportOffset);
        IcmpMessages.Seal(packet.Packet, packet.Source, packet.Destination);
        packet.Packet.MoveTo(packet.Packet.NetworkHeader);
        return true;
    }

    private static bool Rewrite(Span<byte> bytes, in Place place, in FlowTuple target, bool isSource, bool isQuoted)
    {
        Span<byte> before = stackalloc byte[16];
        Span<byte> after = stackalloc byte[16];
        IpAddress address = isSource ? target.Source : target.Destination;
        int length = address.Length;
        int at = place.Network + (length == 4 ? 12 : 8) + (isSource ? 0 : length);
        if (at + length > bytes.Length)
        {
            return false;
        }

        before = before[..length];
        after = after[..length];
        Span<byte> field = bytes.Slice(at, length);
        field.CopyTo(before);
        address.WriteTo(after);
        after.CopyTo(field);
        if (length == 4)
        {
            Adjust(bytes[(place.Network + 10)..], before, after, isComplement: true);
        }

        Span<byte> transport = bytes[Math.Min(place.Transport, bytes.Length)..];
        return place.Protocol switch
        {
            IpProtocol.Tcp => RewritePorts(transport, place, TcpHeader.ChecksumOffset, target, isSource, isQuoted, before, after),
            IpProtocol.Udp => RewritePorts(transport, place, UdpChecksum, target, isSource, isQuoted, before, after),
            IpProtocol.Icmp => RewriteEcho(transport, place, target, default, default),
            IpProtocol.IcmpV6 => RewriteEcho(transport, place, target, before, after),
            _ => true,
        };
    }

    private static bool RewritePorts(
        Span<byte> transport, in Place place, int checksum, in FlowTuple target, bool isSource, bool isQuoted, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        if (transport.Length < 8 || (!isQuoted && transport.Length < checksum + 2))
        {
            return false;
        }

        Span<byte> port = transport.Slice(isSource ? 0 : 2, 2);
        Span<byte> old = stackalloc byte[2];
        port.CopyTo(old);
        BinaryPrimitives.WriteUInt16BigEndian(port, isSource ? target.SourcePort : target.DestinationPort);
        if (transport.Length < checksum + 2 || place.Checksum == ChecksumState.Verified)
        {
            return true;
        }

        Span<byte> field = transport[checksum..];
        bool isUdp = place.Protocol == IpProtocol.Udp;
        if (place.Checksum == ChecksumState.Partial)
        {
            Adjust(field, before, after, isComplement: false); // ports are still to be summed
        }
        else if (!isUdp || BinaryPrimitives.ReadUInt16BigEndian(field) != 0)
        {
            Adjust(field, before, after, isComplement: true);
            Adjust(field, old, port, isComplement: true);
            if (isUdp && BinaryPrimitives.ReadUInt16BigEndian(field) == 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(field, ushort.MaxValue); // 0 would say that there is none
            }
        }

        return true;
    }

    private static bool RewriteEcho(Span<byte> transport, in Place place, in FlowTuple target, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        if (transport.Length < IcmpHeader.Length)
        {
            return false;
        }

        Span<byte> identifier = transport.Slice(EchoIdentifier, 2);
        Span<byte> old = stackalloc byte[2];
        identifier.CopyTo(old);
        BinaryPrimitives.WriteUInt16BigEndian(identifier, target.SourcePort);
        if (place.Checksum != ChecksumState.Verified)
        {
            Span<byte> field = transport[IcmpHeader.ChecksumOffset..];
            Adjust(field, old, identifier, isComplement: true);
            Adjust(field, before, after, isComplement: true);
        }

        return true;
    }

    // RFC 1624 section 3: what went away is subtracted, what came is added. A sum that a device completes is not complemented.
    private static void Adjust(Span<byte> field, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, bool isComplement)
    {
        ushort value = BinaryPrimitives.ReadUInt16BigEndian(field);
        uint sum = isComplement ? (ushort)~value : value;
        for (int i = 0; i < before.Length; i += 2)
        {
            sum += (ushort)~BinaryPrimitives.ReadUInt16BigEndian(before[i..]);
            sum += BinaryPrimitives.ReadUInt16BigEndian(after[i..]);
        }

        sum = (sum & ushort.MaxValue) + (sum >> 16);
        sum = (sum & ushort.MaxValue) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)(isComplement ? ~sum : sum));
    }

    private readonly record struct Place(int Network, int Transport, IpProtocol Protocol, ChecksumState Checksum);
}
