using System.Buffers.Binary;
using Moat.Netstack.Filter;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>The matches of iptables (iptables-extensions(8)).</summary>
internal static class XtMatches
{
    private const int CommentLength = 256;
    private const int StateLength = 4;

    private static readonly uint s_incoming = XtExtension.At(FilterHook.Prerouting, FilterHook.Input, FilterHook.Forward);
    private static readonly uint s_outgoing = XtExtension.At(FilterHook.Output, FilterHook.Postrouting);

    /// <summary>Bytes of a match's structure; null if there is no such match.</summary>
    public static int? LengthOf(string name, byte revision, NetfilterFamily family) => (name, revision) switch
    {
        ("tcp", 0) => XtPorts.TcpLength,
        ("udp", 0) => XtPorts.UdpLength,
        ("icmp", 0) when family != NetfilterFamily.NFPROTO_IPV6 => XtIcmp.Length,
        ("icmp6", 0) when family != NetfilterFamily.NFPROTO_IPV4 => XtIcmp.Length,
        ("multiport", 1) => XtMultiport.Length,
        ("conntrack", 1) => XtConntrack.LengthV1,
        ("conntrack", 2) => XtConntrack.LengthV2,
        ("conntrack", 3) => XtConntrack.LengthV3,
        ("state", 0) => StateLength,
        ("addrtype", 0) when family != NetfilterFamily.NFPROTO_IPV6 => XtAddrType.LengthV0,
        ("addrtype", 1) => XtAddrType.Length,
        ("comment", 0) => CommentLength,
        ("mark", 1) or ("connmark", 1) => XtMark.Length,
        ("limit", 0) => XtLimit.Length,
        ("mac", 0) => XtMac.Length,
        ("length", 0) => XtLength.Length,
        ("pkttype", 0) => XtPacketType.Length,
        ("iprange", 1) => XtIpRange.Length,
        ("statistic", 0) => XtStatistic.Length,
        ("owner", 1) => XtOwner.Length,
        _ => null,
    };

    /// <summary>Reads a match of the right length; null if it is wrong.</summary>
    public static XtExtension? Parse(string name, byte revision, ReadOnlySpan<byte> info, in XtContext context)
    {
        bool isV6 = context.Family == NetfilterFamily.NFPROTO_IPV6;
        switch (name)
        {
            case "tcp" or "udp":
                IpProtocol protocol = name == "tcp" ? IpProtocol.Tcp : IpProtocol.Udp;
                XtPorts ports = new(protocol, info);
                return context.Protocol == (byte)protocol && ports.IsValid ? new XtExtension(ports) : null;
            case "icmp" or "icmp6":
                IpProtocol icmp = name == "icmp" ? IpProtocol.Icmp : IpProtocol.IcmpV6;
                return context.Protocol == (byte)icmp && info[3] <= 1 ? new XtExtension(new XtIcmp(icmp, info[0], info[1], info[2], info[3] != 0)) : null;
            case "multiport":
                return FilterPacket.HasPorts((IpProtocol)context.Protocol) && XtMultiport.Parse(info) is { } multiport ? new XtExtension(multiport) : null;
            case "conntrack":
                return new XtExtension(new XtConntrack(revision, info, isV6));
            case "state":
                return new XtExtension(new XtConntrack(BinaryPrimitives.ReadUInt32LittleEndian(info)));
            case "addrtype":
                return ParseAddrType(revision, info);
            case "comment":
                return info[(CommentLength - 1)..].IndexOf((byte)0) == 0 ? new XtExtension(new XtAlways()) : null;
            case "mark" or "connmark":
                (uint mark, uint mask) = (BinaryPrimitives.ReadUInt32LittleEndian(info), BinaryPrimitives.ReadUInt32LittleEndian(info[4..]));
                return new XtExtension(new XtMark(mark, mask, info[8] != 0, name == "connmark"));
            case "limit":
                return ParseLimit(info);
            case "mac":
                return new XtExtension(new XtMac(info[..EthernetAddress.Length].ToArray(), BinaryPrimitives.ReadInt32LittleEndian(info[8..]) != 0)) { Hooks = s_incoming };
            case "length":
                return new XtExtension(new XtLength(BinaryPrimitives.ReadUInt16LittleEndian(info), BinaryPrimitives.ReadUInt16LittleEndian(info[2..]), info[4] != 0));
            case "pkttype":
                return new XtExtension(new XtPacketType(BinaryPrimitives.ReadUInt32LittleEndian(info), BinaryPrimitives.ReadInt32LittleEndian(info[4..]) != 0));
            case "iprange":
                return new XtExtension(new XtIpRange(AddressAt(info, 0, isV6), AddressAt(info, 16, isV6), AddressAt(info, 32, isV6), AddressAt(info, 48, isV6), info[64]));
            case "owner":
                return ParseOwner(info);
            default:
                return ParseStatistic(info);
        }
    }

    /// <summary>An address in a structure that has room for either family's.</summary>
    public static IpAddress AddressAt(ReadOnlySpan<byte> info, int offset, bool isV6) => IpAddress.FromBytes(info.Slice(offset, isV6 ? 16 : 4));

    private static XtExtension? ParseAddrType(byte revision, ReadOnlySpan<byte> info)
    {
        const uint Known = 0xf;
        ushort source = BinaryPrimitives.ReadUInt16LittleEndian(info);
        ushort destination = BinaryPrimitives.ReadUInt16LittleEndian(info[2..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(info[4..]);
        if (revision == 0)
        {
            uint inverted = (flags != 0 ? XtAddrType.InvertSource : 0) | (BinaryPrimitives.ReadUInt32LittleEndian(info[8..]) != 0 ? XtAddrType.InvertDestination : 0);
            return new XtExtension(new XtAddrType(source, destination, inverted));
        }

        const uint BothSides = XtAddrType.OfInput | XtAddrType.OfOutput;
        if ((flags & ~Known) != 0 || (flags & BothSides) == BothSides)
        {
            return null;
        }

        uint hooks = (flags & XtAddrType.OfInput) != 0 ? s_incoming : (flags & XtAddrType.OfOutput) != 0 ? s_outgoing | XtExtension.At(FilterHook.Forward) : 0;
        return new XtExtension(new XtAddrType(source, destination, flags)) { Hooks = hooks };
    }

    private static XtExtension? ParseLimit(ReadOnlySpan<byte> info)
    {
        const long Second = 1_000_000_000;
        uint average = BinaryPrimitives.ReadUInt32LittleEndian(info); // parts of a second between two packets
        uint burst = BinaryPrimitives.ReadUInt32LittleEndian(info[4..]);
        if (burst == 0 || unchecked(average * burst) < average)
        {
            return null;
        }

        long costNs = average * (Second / XtLimit.Scale);
        return new XtExtension(new XtLimit(costNs, new TokenBucket(costNs * burst)));
    }

    private static XtExtension? ParseOwner(ReadOnlySpan<byte> info)
    {
        const byte Known = 0xf;
        uint uidMin = BinaryPrimitives.ReadUInt32LittleEndian(info);
        uint uidMax = BinaryPrimitives.ReadUInt32LittleEndian(info[4..]);
        uint gidMin = BinaryPrimitives.ReadUInt32LittleEndian(info[8..]);
        uint gidMax = BinaryPrimitives.ReadUInt32LittleEndian(info[12..]);
        return (info[16] & ~Known) != 0 || uidMin > uidMax || gidMin > gidMax ? null : new XtExtension(new XtOwner(uidMin, uidMax, gidMin, gidMax, info[16], info[17])) { Hooks = s_outgoing };
    }

    private static XtExtension? ParseStatistic(ReadOnlySpan<byte> info)
    {
        const ushort Nth = 1;
        ushort mode = BinaryPrimitives.ReadUInt16LittleEndian(info);
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(info[2..]);
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(info[4..]);
        uint packet = BinaryPrimitives.ReadUInt32LittleEndian(info[8..]);
        return mode > Nth || flags > 1 ? null : new XtExtension(new XtStatistic(mode != Nth, flags != 0, first, first, packet));
    }
}
