using System.Buffers.Binary;
using Moat.Netstack.Filter;
using Moat.Netstack.Filter.Nat;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>The targets of iptables besides verdicts (iptables-extensions(8)).</summary>
internal static class XtTargets
{
    private const int RejectLength = 4;
    private const int LogLength = 32;
    private const int CtLength = 40; // struct xt_ct_target_info
    private const int CtTimeoutLength = 72; // struct xt_ct_target_info_v1
    private const int OldRangeLength = 20; // struct nf_nat_ipv4_multi_range_compat
    private const int RangeLength = 40; // struct nf_nat_range
    private const int NewRangeLength = 44; // struct nf_nat_range2

    private static readonly uint s_source = XtExtension.At(FilterHook.Postrouting, FilterHook.Input);
    private static readonly uint s_destination = XtExtension.At(FilterHook.Prerouting, FilterHook.Output);
    private static readonly uint s_leaving = XtExtension.At(FilterHook.Postrouting);
    private static readonly uint s_filtering = XtExtension.At(FilterHook.Input, FilterHook.Forward, FilterHook.Output);

    /// <summary>Bytes of a target's structure; null if there is no such target.</summary>
    public static int? LengthOf(string name, byte revision, NetfilterFamily family)
    {
        bool isV6 = family == NetfilterFamily.NFPROTO_IPV6;
        return (name, revision) switch
        {
            ("REJECT", 0) => RejectLength,
            ("LOG", 0) => LogLength,
            ("MARK", 2) => XtSetMark.Length,
            ("CONNMARK", 1 or 2) => XtSetMark.ConnectionLength,
            ("NOTRACK", 0) => 0,
            ("CT", 0) => CtLength,
            ("CT", 1 or 2) => CtTimeoutLength,
            ("DNAT" or "SNAT", 0) when !isV6 => OldRangeLength,
            ("DNAT" or "SNAT", 1) => RangeLength,
            ("DNAT", 2) => NewRangeLength,
            ("MASQUERADE" or "REDIRECT", 0) => isV6 ? RangeLength : OldRangeLength,
            _ => null,
        };
    }

    /// <summary>Reads a target of the right length; null if it is wrong.</summary>
    public static XtExtension? Parse(string name, byte revision, ReadOnlySpan<byte> info, in XtContext context)
    {
        bool isV6 = context.Family == NetfilterFamily.NFPROTO_IPV6;
        switch (name)
        {
            case "REJECT":
                return ParseReject(info, context, isV6);
            case "LOG":
                const int LastLevel = 7;
                return info[0] > LastLevel || info[LogLength - 1] != 0 ? null : new XtExtension(new XtAlways());
            case "MARK":
                return new XtExtension(new XtSetMark(XtMarkMode.Packet, BinaryPrimitives.ReadUInt32LittleEndian(info), BinaryPrimitives.ReadUInt32LittleEndian(info[4..])));
            case "CONNMARK":
                return ParseConnectionMark(revision, info);
            case "NOTRACK":
                return new XtExtension(new NoTrack()) { Table = "raw" };
            case "CT":
                const ushort NoTracking = 1;
                const ushort Alias = 2; // it was called NOTRACK
                bool isPlain = (BinaryPrimitives.ReadUInt16LittleEndian(info) | Alias) == (NoTracking | Alias) && info[2..(revision == 0 ? 28 : 60)].IndexOfAnyExcept((byte)0) < 0;
                return isPlain ? new XtExtension(new NoTrack()) { Table = "raw" } : null; // zones, events, helpers and timeouts are not there
            default:
                return ParseNat(name, revision, info, isV6);
        }
    }

    private static XtExtension? ParseConnectionMark(byte revision, ReadOnlySpan<byte> info)
    {
        const int ShiftBits = 13; // of revision 2: marks that are shifted on the way are not there
        int mode = info[revision == 1 ? 12 : 14];
        uint mark = BinaryPrimitives.ReadUInt32LittleEndian(info);
        uint mask = BinaryPrimitives.ReadUInt32LittleEndian(info[4..]);
        uint packetMask = BinaryPrimitives.ReadUInt32LittleEndian(info[8..]);
        return mode > 2 || (revision == 2 && info[ShiftBits] != 0) ? null : new XtExtension(new XtSetMark(XtMarkMode.SetConnection + mode, mark, mask, packetMask));
    }

    private static XtExtension? ParseReject(ReadOnlySpan<byte> info, in XtContext context, bool isV6)
    {
        uint with = BinaryPrimitives.ReadUInt32LittleEndian(info);
        uint reset = isV6 ? 6u : 7;
        uint echoReply = isV6 ? 5u : 4; // obsolete
        if (with == reset)
        {
            return context.Protocol == (byte)IpProtocol.Tcp ? new XtExtension(new Reject(RejectKind.Reset, 0, 0)) { Table = "filter", Hooks = s_filtering } : null;
        }

        ReadOnlySpan<byte> codes = isV6 ? [0, 1, 2, 3, 4, 0, 0, 5, 6] : [0, 1, 2, 3, 0, 9, 10, 0, 13];
        if (with >= (uint)codes.Length || with == echoReply)
        {
            return null;
        }

        return new XtExtension(new Reject(RejectKind.Unreachable, codes[(int)with], codes[(int)with])) { Table = "filter", Hooks = s_filtering };
    }

    private static XtExtension? ParseNat(string name, byte revision, ReadOnlySpan<byte> info, bool isV6)
    {
        NatKind kind = name switch { "DNAT" => NatKind.Destination, "SNAT" => NatKind.Source, "MASQUERADE" => NatKind.Masquerade, _ => NatKind.Redirect };
        bool isOld = revision == 0 && !isV6;
        if (isOld && BinaryPrimitives.ReadUInt32LittleEndian(info) != 1)
        {
            return null; // several ranges
        }

        NatRange range = isOld ? ReadOld(info[4..]) : ReadNew(info, isV6, revision == 2);
        bool choosesAddress = kind is NatKind.Masquerade or NatKind.Redirect;
        if ((choosesAddress && range.Has(NatFlags.Addresses)) || range.Has(NatFlags.Prefix) || ((uint)range.Flags & ~0x3fu) != 0)
        {
            return null;
        }

        uint hooks = kind switch { NatKind.Source => s_source, NatKind.Masquerade => s_leaving, _ => s_destination };
        return new XtExtension(new NatAction(kind, range)) { Table = "nat", Hooks = hooks };
    }

    private static NatRange ReadOld(ReadOnlySpan<byte> range) => new(
        (NatFlags)BinaryPrimitives.ReadUInt32LittleEndian(range),
        IpAddress.FromBytes(range[4..8]),
        IpAddress.FromBytes(range[8..12]),
        BinaryPrimitives.ReadUInt16BigEndian(range[12..]),
        BinaryPrimitives.ReadUInt16BigEndian(range[14..]));

    private static NatRange ReadNew(ReadOnlySpan<byte> range, bool isV6, bool hasBase) => new(
        (NatFlags)BinaryPrimitives.ReadUInt32LittleEndian(range),
        XtMatches.AddressAt(range, 4, isV6),
        XtMatches.AddressAt(range, 20, isV6),
        BinaryPrimitives.ReadUInt16BigEndian(range[36..]),
        BinaryPrimitives.ReadUInt16BigEndian(range[38..]))
    {
        BasePort = hasBase ? BinaryPrimitives.ReadUInt16BigEndian(range[40..]) : (ushort)0,
    };
}
