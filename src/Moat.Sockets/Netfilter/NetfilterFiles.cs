using System.Globalization;
using System.Text;
using Moat.Netstack;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Sockets.Netfilter;

/// <summary>/proc/net's files of iptables and of connection tracking.</summary>
internal static class NetfilterFiles
{
    private const string TablesV4 = "ip_tables_names";
    private const string TablesV6 = "ip6_tables_names";
    private const string Connections = "nf_conntrack";
    private const long Second = 1_000_000_000;

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [TablesV4, TablesV6, Connections];

    /// <summary>Writes one.</summary>
    public static void Write(SocketNetwork network, string name, StringBuilder text)
    {
        if (name == Connections)
        {
            WriteConnections(network.Stack, text);
            return;
        }

        XtTables tables = name == TablesV4 ? network.TablesV4 : network.TablesV6;
        foreach (string table in tables.Names)
        {
            text.Append(table).Append('\n');
        }
    }

    private static void WriteConnections(NetworkStack stack, StringBuilder text)
    {
        long now = stack.Host.NowNs;
        foreach (TrackedFlow flow in stack.Filter.Flows.List())
        {
            FlowTuple original = flow.Original;
            string protocol = original.Protocol switch { IpProtocol.Tcp => "tcp", IpProtocol.Udp => "udp", IpProtocol.Icmp => "icmp", IpProtocol.IcmpV6 => "icmpv6", _ => "unknown" };
            text.Append(CultureInfo.InvariantCulture, $"{(original.Source.IsV4 ? "ipv4     2" : "ipv6     10")} {protocol,-8} {(int)original.Protocol} {Math.Max(0, (flow.ExpiresNs - now) / Second)} ");
            if (original.Protocol == IpProtocol.Tcp)
            {
                text.Append(NameOf(flow.Tcp)).Append(' ');
            }

            Write(original, text);
            text.Append(flow.Has(FlowStatus.SeenReply) ? "" : "[UNREPLIED] ");
            Write(flow.Reply, text);
            text.Append(flow.Has(FlowStatus.Assured) ? "[ASSURED] " : "");
            text.Append(CultureInfo.InvariantCulture, $"mark={flow.Mark} zone=0 use=2\n");
        }
    }

    private static void Write(in FlowTuple tuple, StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"src={Long(tuple.Source)} dst={Long(tuple.Destination)} ");
        if (tuple.IsIcmp)
        {
            text.Append(CultureInfo.InvariantCulture, $"type={tuple.DestinationPort >> 8} code={tuple.DestinationPort & 0xff} id={tuple.SourcePort} ");
        }
        else if (tuple.Protocol is IpProtocol.Tcp or IpProtocol.Udp)
        {
            text.Append(CultureInfo.InvariantCulture, $"sport={tuple.SourcePort} dport={tuple.DestinationPort} ");
        }
    }

    // IPv6 addresses stand there with all their digits.
    private static string Long(IpAddress address)
    {
        if (address.IsV4)
        {
            return address.ToString();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.WriteTo(bytes);
        string digits = Convert.ToHexStringLower(bytes);
        return string.Join(':', Enumerable.Range(0, 8).Select(part => digits.Substring(4 * part, 4)));
    }

    private static string NameOf(TcpTrackState state) => state switch
    {
        TcpTrackState.SynSent => "SYN_SENT",
        TcpTrackState.SynReceived => "SYN_RECV",
        TcpTrackState.Established => "ESTABLISHED",
        TcpTrackState.FinWait => "FIN_WAIT",
        TcpTrackState.CloseWait => "CLOSE_WAIT",
        TcpTrackState.LastAck => "LAST_ACK",
        TcpTrackState.TimeWait => "TIME_WAIT",
        TcpTrackState.Close => "CLOSE",
        TcpTrackState.SynSent2 => "SYN_SENT2",
        _ => "NONE",
    };
}
