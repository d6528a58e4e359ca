using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>/proc/net's tables of internet sockets: tcp, udp, raw, icmp and their namesakes for IPv6 (proc(5), proc_net_tcp.rst).</summary>
internal sealed class InetSocketFiles(InetSocketList sockets)
{
    private const int TcpWidth = 149;
    private const int DatagramWidth = 127;
    private const string HeaderV6 = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    private const string NoPointer = "0000000000000000";

    /// <summary>The tables.</summary>
    public static IReadOnlyList<string> Names { get; } = ["icmp", "icmp6", "raw", "raw6", "tcp", "tcp6", "udp", "udp6"];

    /// <summary>Writes one of them.</summary>
    public void Write(string name, StringBuilder text)
    {
        bool isV6 = name[^1] == '6';
        switch (isV6 ? name[..^1] : name)
        {
            case "tcp":
                WriteTcp(text, isV6);
                break;
            case "udp":
                WriteDatagrams(text, isV6, SocketType.SOCK_DGRAM, IpProtocol.Udp);
                break;
            case "raw":
                WriteDatagrams(text, isV6, SocketType.SOCK_RAW, null);
                break;
            default:
                WriteDatagrams(text, isV6, SocketType.SOCK_DGRAM, isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp);
                break;
        }
    }

    private void WriteTcp(StringBuilder text, bool isV6)
    {
        const string Header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        text.Append(isV6 ? HeaderV6 : Header.PadRight(TcpWidth)).Append('\n');
        int number = 0;
        foreach (SocketDescription socket in sockets.ListTcp(isV6))
        {
            if (socket.State == (int)TcpState.Closed)
            {
                continue;
            }

            StringBuilder line = new();
            bool isListening = socket.State == (int)TcpState.Listen;
            TcpStatus status = socket.Tcp ?? new TcpStatus { State = (TcpState)socket.State };
            AppendEnds(line, number++, 4, socket, isV6);
            line.Append(CultureInfo.InvariantCulture, $" {socket.State:X2} {(isListening ? 0 : socket.SendQueue):X8}:{socket.ReceiveQueue:X8} {TimerKind(status):X2}:{TimerTicks(status):X8} {status.Timeouts:X8} {socket.Owner,5} {0,8} {socket.Inode}");
            if (socket.State is (int)TcpState.TimeWait or (int)TcpState.SynReceived)
            {
                line.Append(" 1 ").Append(NoPointer);
            }
            else
            {
                int segment = Math.Max(status.SendMss, 1);
                long threshold = isListening ? 0 : status.SlowStartThreshold >= int.MaxValue ? -1 : status.SlowStartThreshold / segment;
                line.Append(CultureInfo.InvariantCulture, $" 1 {NoPointer} {status.RetransmissionTimeNs / 10_000_000} 0 0 {(isListening ? 10 : status.CongestionWindow / segment)} {threshold}");
            }

            text.Append(isV6 ? line.ToString() : line.ToString().PadRight(TcpWidth)).Append('\n');
        }
    }

    private void WriteDatagrams(StringBuilder text, bool isV6, SocketType type, IpProtocol? protocol)
    {
        bool isRaw = type == SocketType.SOCK_RAW;
        const string Rest = " ref pointer drops";
        string header = isV6 ? HeaderV6 + Rest
            : (isRaw ? "  sl  local_address rem_address   st" : "   sl  local_address rem_address   st") + " tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode" + Rest;
        text.Append(isV6 || isRaw ? header : header.PadRight(DatagramWidth)).Append('\n');
        foreach (SocketDescription socket in sockets.ListDatagrams(isV6, type, protocol))
        {
            StringBuilder line = new();
            int number = isRaw ? socket.Protocol : socket.Local.Port;
            AppendEnds(line, number, isRaw ? 4 : 5, socket, isV6);
            line.Append(CultureInfo.InvariantCulture, $" {socket.State:X2} {socket.SendQueue:X8}:{socket.ReceiveQueue:X8} 00:00000000 00000000 {socket.Owner,5} {0,8} {socket.Inode} 2 {NoPointer} {socket.Drops}");
            text.Append(isV6 || isRaw ? line.ToString() : line.ToString().PadRight(DatagramWidth)).Append('\n');
        }
    }

    // Addresses stand as the numbers that their words in network order are on a little-endian machine.
    private static void AppendEnds(StringBuilder line, int number, int width, SocketDescription socket, bool isV6)
    {
        line.Append(number.ToString(CultureInfo.InvariantCulture).PadLeft(width)).Append(": ");
        AppendEnd(line, socket.Local, isV6);
        line.Append(' ');
        AppendEnd(line, socket.Remote, isV6);
    }

    private static void AppendEnd(StringBuilder line, IpEndpoint end, bool isV6)
    {
        Span<byte> bytes = stackalloc byte[16];
        end.Address.WriteV6To(bytes);
        if (isV6 && end.Address.IsV4 && end.Address.IsAny)
        {
            bytes.Clear(); // nothing is no mapped address
        }

        for (int at = isV6 ? 0 : 12; at < 16; at += sizeof(uint))
        {
            line.Append(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]):X8}");
        }

        line.Append(CultureInfo.InvariantCulture, $":{end.Port:X4}");
    }

    private static int TimerKind(in TcpStatus status) => status.State == TcpState.TimeWait ? 3 : (int)status.Timer;

    private static long TimerTicks(in TcpStatus status) => Math.Max(status.TimerLeftNs, 0) / 10_000_000;
}
