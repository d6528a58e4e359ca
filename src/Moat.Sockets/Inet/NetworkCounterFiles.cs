using System.Globalization;
using System.Text;
using Moat.Netstack;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>/proc/net's counters (proc(5), RFC 4293, RFC 4022, RFC 4113): sockstat, sockstat6, snmp, snmp6, netstat. What the stack does not count is zero.</summary>
internal sealed class NetworkCounterFiles(SocketNetwork network, InetSocketList sockets)
{
    private const int PageSize = 4096;

    private readonly NetworkStack _stack = network.Stack;

    /// <summary>The files.</summary>
    public static IReadOnlyList<string> Names { get; } = ["netstat", "snmp", "snmp6", "sockstat", "sockstat6"];

    /// <summary>Writes one of them.</summary>
    public void Write(string name, StringBuilder text)
    {
        switch (name)
        {
            case "sockstat":
                WriteSockets(text);
                break;
            case "sockstat6":
                text.Append(CultureInfo.InvariantCulture, $"TCP6: inuse {Count<InetStream>(isV6: true)}\nUDP6: inuse {Count<InetDatagram>(isV6: true)}\nUDPLITE6: inuse 0\nRAW6: inuse {CountRaw(isV6: true)}\n");
                WriteFragments("FRAG6", isV6: true, text);
                break;
            case "snmp":
                WriteSnmp(text);
                break;
            case "snmp6":
                WriteSnmpV6(text);
                break;
            default:
                WriteNetstat(text);
                break;
        }
    }

    private int Count<T>(bool isV6)
        where T : class, IInetSocket => network.Registry.List<T>().FindAll(socket => socket.IsV6 == isV6).Count;

    private int CountRaw(bool isV6) => network.Registry.List<InetMessages>().FindAll(socket => socket.IsV6 == isV6 && socket.Type == SocketType.SOCK_RAW).Count;

    private void WriteSockets(StringBuilder text)
    {
        int timeWait = 0;
        int orphans = 0;
        foreach (SocketDescription connection in sockets.ListTcp(isV6: false))
        {
            timeWait += connection.State == (int)TcpState.TimeWait ? 1 : 0;
            orphans += connection.Inode == 0 && connection.State != (int)TcpState.TimeWait ? 1 : 0;
        }

        int all = network.Registry.List<InetStream>().Count;
        long pages = (network.Home.Memory.HeldBytes + PageSize - 1) / PageSize;
        text.Append(CultureInfo.InvariantCulture, $"sockets: used {network.Registry.Count}\n");
        text.Append(CultureInfo.InvariantCulture, $"TCP: inuse {Count<InetStream>(isV6: false)} orphan {orphans} tw {timeWait} alloc {all} mem {pages}\n");
        text.Append(CultureInfo.InvariantCulture, $"UDP: inuse {Count<InetDatagram>(isV6: false)} mem 0\nUDPLITE: inuse 0\nRAW: inuse {CountRaw(isV6: false)}\n");
        WriteFragments("FRAG", isV6: false, text);
    }

    private void WriteFragments(string name, bool isV6, StringBuilder text)
    {
        (int count, long bytes) = _stack.CountUnfinished(isV6);
        text.Append(CultureInfo.InvariantCulture, $"{name}: inuse {count} memory {bytes}\n");
    }

    private void WriteSnmp(StringBuilder text)
    {
        const int IcmpTypes = 26;
        TcpLayer tcp = _stack.Tcp;
        long established = sockets.ListTcp(isV6: false).FindAll(static socket => socket.State is (int)TcpState.Established or (int)TcpState.CloseWait).Count;
        text.Append("Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits\n");
        long received = tcp.ReceivedSegments + _stack.Udp.Received + _stack.Icmp.Received;
        text.Append(CultureInfo.InvariantCulture, $"Ip: 2 64 {received} 0 0 0 0 0 {received} {tcp.SentSegments + _stack.Udp.Sent} 0 0 0 0 0 0 0 0 0 {tcp.SentSegments + _stack.Udp.Sent}\n");
        text.Append("Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps\n");
        text.Append(CultureInfo.InvariantCulture, $"Icmp: {_stack.Icmp.Received} {_stack.Icmp.Bad}");
        text.Insert(text.Length, " 0", IcmpTypes + 1).Append('\n');
        text.Append("Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
        text.Append(CultureInfo.InvariantCulture, $"Tcp: 1 200 120000 -1 {tcp.ActiveOpens} {tcp.PassiveOpens} 0 0 {established} {tcp.ReceivedSegments} {tcp.SentSegments} 0 {tcp.BadSegments} 0 0\n");
        text.Append("Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors\n");
        text.Append(CultureInfo.InvariantCulture, $"Udp: {_stack.Udp.Received} {_stack.Udp.Unwanted} {_stack.Udp.Bad} {_stack.Udp.Sent} 0 0 0 0 0\n");
        text.Append("UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors\nUdpLite: 0 0 0 0 0 0 0 0 0\n");
    }

    private void WriteSnmpV6(StringBuilder text)
    {
        void Line(string name, long value) => text.Append(CultureInfo.InvariantCulture, $"{name,-32}\t{value}\n");
        Line("Ip6InReceives", _stack.IcmpV6.Received);
        Line("Ip6InHdrErrors", 0);
        Line("Ip6InDelivers", _stack.IcmpV6.Received);
        Line("Ip6OutRequests", 0);
        Line("Icmp6InMsgs", _stack.IcmpV6.Received);
        Line("Icmp6InErrors", _stack.IcmpV6.Bad);
        Line("Icmp6OutMsgs", 0);
        Line("Udp6InDatagrams", 0);
        Line("Udp6NoPorts", 0);
        Line("Udp6InErrors", 0);
        Line("Udp6OutDatagrams", 0);
    }

    private void WriteNetstat(StringBuilder text)
    {
        text.Append("TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TCPMemoryPressures\nTcpExt: 0 0 0 0 0 0\n");
        text.Append("IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps\n");
        long received = 0;
        long sent = 0;
        foreach (Netstack.Interfaces.NetworkInterface owner in _stack.Interfaces)
        {
            received += owner.Statistics.ReceivedBytes;
            sent += owner.Statistics.SentBytes;
        }

        text.Append(CultureInfo.InvariantCulture, $"IpExt: 0 0 0 0 0 0 {received} {sent} 0 0 0 0 0 0 0 0 0 0\n");
    }
}
