using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter;

/// <summary>ctnetlink: shows the connections that are tracked, and forgets them (linux/netfilter/nfnetlink_conntrack.h).</summary>
internal static class ConntrackProtocol
{
    /// <summary>NFNL_SUBSYS_CTNETLINK.</summary>
    public const int Subsystem = 1;

    private const int IPCTNL_MSG_CT_NEW = 0;
    private const int IPCTNL_MSG_CT_GET = 1;
    private const int IPCTNL_MSG_CT_DELETE = 2;
    private const int IPCTNL_MSG_CT_GET_STATS_CPU = 4;
    private const int IPCTNL_MSG_CT_GET_STATS = 5;
    private const ushort CTA_TUPLE_ORIG = 1;
    private const ushort CTA_TUPLE_REPLY = 2;
    private const ushort CTA_STATUS = 3;
    private const ushort CTA_PROTOINFO = 4;
    private const ushort CTA_TIMEOUT = 7;
    private const ushort CTA_MARK = 8;
    private const ushort CTA_USE = 11;
    private const ushort CTA_ID = 12;
    private const ushort CTA_TUPLE_IP = 1;
    private const ushort CTA_TUPLE_PROTO = 2;
    private const ushort CTA_IP_V4_SRC = 1;
    private const ushort CTA_IP_V4_DST = 2;
    private const ushort CTA_IP_V6_SRC = 3;
    private const ushort CTA_IP_V6_DST = 4;
    private const ushort CTA_PROTO_NUM = 1;
    private const ushort CTA_PROTO_SRC_PORT = 2;
    private const ushort CTA_PROTO_DST_PORT = 3;
    private const ushort CTA_PROTO_ICMP_ID = 4;
    private const ushort CTA_PROTO_ICMPV6_ID = 7;
    private const ushort CTA_PROTOINFO_TCP = 1;
    private const ushort CTA_PROTOINFO_TCP_STATE = 1;
    private const ushort CTA_STATS_GLOBAL_ENTRIES = 1;
    private const ushort CTA_STATS_GLOBAL_MAX_ENTRIES = 2;
    private const long Second = 1_000_000_000;

    /// <summary>Carries out a request.</summary>
    public static Errno Handle(NetworkStack stack, in NftRequest request, NetlinkWriter answer, out bool isDump)
    {
        isDump = false;
        FlowTable flows = stack.Filter.Flows;
        switch (request.Header.Type & 0xff)
        {
            case IPCTNL_MSG_CT_GET when request.Has(NetlinkFlags.NLM_F_DUMP):
                isDump = true;
                foreach (TrackedFlow flow in flows.List())
                {
                    if (IsOfFamily(flow, request.Family))
                    {
                        Write(answer, flow, NetlinkFlags.NLM_F_MULTI, stack.Host.NowNs);
                    }
                }

                answer.Done();
                return Errno.None;
            case IPCTNL_MSG_CT_GET:
                if (Find(flows, request, out TrackedFlow? found) is var errno && errno != Errno.None)
                {
                    return errno;
                }

                Write(answer, found!, NetlinkFlags.None, stack.Host.NowNs);
                return Errno.None;
            case IPCTNL_MSG_CT_DELETE:
                return Delete(flows, request);
            case IPCTNL_MSG_CT_GET_STATS:
                answer.Begin(Subsystem, IPCTNL_MSG_CT_GET_STATS, NetlinkFlags.None, 0, 0);
                answer.PutBig(CTA_STATS_GLOBAL_ENTRIES, (uint)flows.Count);
                answer.PutBig(CTA_STATS_GLOBAL_MAX_ENTRIES, (uint)FlowTable.MaxFlows);
                answer.End();
                return Errno.None;
            case IPCTNL_MSG_CT_NEW or IPCTNL_MSG_CT_GET_STATS_CPU:
                return Errno.EOPNOTSUPP;
            default:
                return Errno.EINVAL;
        }
    }

    // One connection, or all of a family.
    private static Errno Delete(FlowTable flows, in NftRequest request)
    {
        if (!request.Attributes.Has(CTA_TUPLE_ORIG) && !request.Attributes.Has(CTA_TUPLE_REPLY))
        {
            foreach (TrackedFlow flow in flows.List())
            {
                if (IsOfFamily(flow, request.Family))
                {
                    flows.Remove(flow);
                }
            }

            return Errno.None;
        }

        Errno errno = Find(flows, request, out TrackedFlow? found);
        if (errno == Errno.None)
        {
            flows.Remove(found!);
        }

        return errno;
    }

    private static bool IsOfFamily(TrackedFlow flow, NetfilterFamily family) =>
        family == NetfilterFamily.NFPROTO_UNSPEC || (family == NetfilterFamily.NFPROTO_IPV4) == flow.Original.Source.IsV4;

    private static Errno Find(FlowTable flows, in NftRequest request, out TrackedFlow? found)
    {
        found = null;
        ushort type = request.Attributes.Has(CTA_TUPLE_ORIG) ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY;
        if (!request.Attributes.Has(type))
        {
            return Errno.EINVAL;
        }

        if (!Read(request.Attributes.Nest(type), request.Family).TryGet(out FlowTuple tuple, out Errno errno))
        {
            return errno;
        }

        found = flows.Find(tuple);
        return found is null ? Errno.ENOENT : Errno.None;
    }

    private static Result<FlowTuple> Read(AttributeReader attributes, NetfilterFamily family)
    {
        bool isV4 = family == NetfilterFamily.NFPROTO_IPV4;
        AttributeReader ip = attributes.Nest(CTA_TUPLE_IP);
        AttributeReader protocol = attributes.Nest(CTA_TUPLE_PROTO);
        ReadOnlySpan<byte> source = ip.Bytes(isV4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC);
        ReadOnlySpan<byte> destination = ip.Bytes(isV4 ? CTA_IP_V4_DST : CTA_IP_V6_DST);
        ReadOnlySpan<byte> number = protocol.Bytes(CTA_PROTO_NUM);
        int length = isV4 ? 4 : 16;
        if (source.Length != length || destination.Length != length || number.IsEmpty)
        {
            return Errno.EINVAL;
        }

        IpProtocol of = (IpProtocol)number[0];
        bool isIcmp = of is IpProtocol.Icmp or IpProtocol.IcmpV6;
        int first = isIcmp ? of == IpProtocol.Icmp ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID : CTA_PROTO_SRC_PORT;
        ushort second = isIcmp
            ? (ushort)(ByteOf(protocol, first + 1) << 8 | ByteOf(protocol, first + 2))
            : PortOf(protocol, CTA_PROTO_DST_PORT);
        return new FlowTuple(IpAddress.FromBytes(source), IpAddress.FromBytes(destination), PortOf(protocol, first), second, of);
    }

    private static byte ByteOf(AttributeReader attributes, int type) => attributes.Bytes(type) is { IsEmpty: false } value ? value[0] : (byte)0;

    private static ushort PortOf(AttributeReader attributes, int type) => attributes.Bytes(type) is { Length: >= 2 } value ? System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(value) : (ushort)0;

    private static void Write(NetlinkWriter answer, TrackedFlow flow, NetlinkFlags flags, long nowNs)
    {
        byte family = (byte)(flow.Original.Source.IsV4 ? NetfilterFamily.NFPROTO_IPV4 : NetfilterFamily.NFPROTO_IPV6);
        answer.Begin(Subsystem, IPCTNL_MSG_CT_NEW, flags, family, 0);
        Write(answer, CTA_TUPLE_ORIG, flow.Original);
        Write(answer, CTA_TUPLE_REPLY, flow.Reply);
        answer.PutBig(CTA_STATUS, (uint)flow.Status);
        answer.PutBig(CTA_TIMEOUT, (uint)Math.Max(0, (flow.ExpiresNs - nowNs) / Second));
        if (flow.Original.Protocol == IpProtocol.Tcp)
        {
            int information = answer.BeginNest(CTA_PROTOINFO);
            int tcp = answer.BeginNest(CTA_PROTOINFO_TCP);
            answer.Put(CTA_PROTOINFO_TCP_STATE, (byte)flow.Tcp);
            answer.EndNest(tcp);
            answer.EndNest(information);
        }

        answer.PutBig(CTA_MARK, flow.Mark);
        answer.PutBig(CTA_ID, flow.Id);
        answer.PutBig(CTA_USE, 1u);
        answer.End();
    }

    private static void Write(NetlinkWriter answer, ushort type, in FlowTuple tuple)
    {
        int nest = answer.BeginNest(type);
        int ip = answer.BeginNest(CTA_TUPLE_IP);
        answer.Put(tuple.Source.IsV4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.Source);
        answer.Put(tuple.Source.IsV4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.Destination);
        answer.EndNest(ip);
        int protocol = answer.BeginNest(CTA_TUPLE_PROTO);
        answer.Put(CTA_PROTO_NUM, (byte)tuple.Protocol);
        if (tuple.IsIcmp)
        {
            ushort first = tuple.Protocol == IpProtocol.Icmp ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID;
            answer.PutBig(first, tuple.SourcePort);
            answer.Put((ushort)(first + 1), (byte)(tuple.DestinationPort >> 8));
            answer.Put((ushort)(first + 2), (byte)tuple.DestinationPort);
        }
        else
        {
            answer.PutBig(CTA_PROTO_SRC_PORT, tuple.SourcePort);
            answer.PutBig(CTA_PROTO_DST_PORT, tuple.DestinationPort);
        }

        answer.EndNest(protocol);
        answer.EndNest(nest);
    }
}
