using Moat.Linux;
using Moat.Netstack.Routing;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_GETRULE: the rules that the stack follows, which no request changes: the local table first, then the main one.</summary>
internal static class RouteRules
{
    private const int HeaderLength = 12; // struct fib_rule_hdr
    private const ushort FRA_PRIORITY = 6;
    private const ushort FRA_SUPPRESS_PREFIXLEN = 14;
    private const ushort FRA_TABLE = 15;
    private const ushort FRA_PROTOCOL = 21;
    private const byte FR_ACT_TO_TBL = 1;
    private const byte RTPROT_KERNEL = 2;
    private const uint MainPriority = 32766;

    /// <summary>All rules of a family.</summary>
    public static Errno Dump(in NetlinkRequest request, NetlinkWriter answer)
    {
        foreach (byte family in (ReadOnlySpan<byte>)[(byte)AddressFamily.AF_INET, (byte)AddressFamily.AF_INET6])
        {
            if (request.Payload[0] is 0 || request.Payload[0] == family)
            {
                Write(answer, family, RoutingTable.Local, 0);
                Write(answer, family, RoutingTable.Main, MainPriority);
            }
        }

        return Errno.None;
    }

    private static void Write(NetlinkWriter answer, byte family, uint table, uint priority)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header.Clear();
        header[0] = family;
        header[4] = (byte)table;
        header[7] = FR_ACT_TO_TBL;
        answer.Begin((ushort)RouteMessageType.RTM_NEWRULE, NetlinkFlags.NLM_F_MULTI, header);
        answer.Put(FRA_TABLE, table);
        answer.Put(FRA_SUPPRESS_PREFIXLEN, uint.MaxValue);
        answer.Put(FRA_PROTOCOL, RTPROT_KERNEL);
        if (priority != 0)
        {
            answer.Put(FRA_PRIORITY, priority);
        }

        answer.End();
    }
}
