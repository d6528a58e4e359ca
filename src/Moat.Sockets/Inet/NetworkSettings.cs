using System.Globalization;
using Moat.Kernel;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Inet;

/// <summary>The settings of a network below /proc/sys/net that programs read, with the values in effect; those that can be written act (ip-sysctl.rst, Documentation/admin-guide/sysctl/net.rst).</summary>
public sealed class NetworkSettings(SocketNetwork network) : INetworkSettings
{
    private const string Backlog = "core/somaxconn";
    private const string ForwardV4 = "ipv4/ip_forward";
    private const string PortRange = "ipv4/ip_local_port_range";
    private const string PrivilegedPorts = "ipv4/ip_unprivileged_port_start";
    private const int PageSize = 4096;
    private const long SecondNs = 1_000_000_000;

    private readonly NetworkStack _stack = network.Stack;
    private readonly InterfaceSettings _interfaces = new(network.Stack);

    private static readonly string[] s_writable = [Backlog, ForwardV4, PortRange, PrivilegedPorts];

    private static readonly Dictionary<string, string> s_fixed = new()
    {
        ["core/optmem_max"] = "20480",
        ["core/rmem_default"] = Text(SocketOptions.DefaultBuffer),
        ["core/rmem_max"] = Text(SocketOptions.MaxBuffer),
        ["core/wmem_default"] = Text(SocketOptions.DefaultBuffer),
        ["core/wmem_max"] = Text(SocketOptions.MaxBuffer),
        ["ipv4/icmp_msgs_burst"] = "50",
        ["ipv4/icmp_msgs_per_sec"] = "1000",
        ["ipv4/igmp_max_memberships"] = "20",
        ["ipv4/igmp_max_msf"] = "10",
        ["ipv4/ip_default_ttl"] = "64",
        ["ipv4/ip_nonlocal_bind"] = "0",
        ["ipv4/ping_group_range"] = "0\t2147483647",
        ["ipv4/tcp_allowed_congestion_control"] = string.Join(' ', TcpOptionSet.CongestionControls),
        ["ipv4/tcp_available_congestion_control"] = string.Join(' ', TcpOptionSet.CongestionControls),
        ["ipv4/tcp_congestion_control"] = "cubic",
        ["ipv4/tcp_fastopen"] = "0",
        ["ipv4/tcp_fin_timeout"] = Text(TcpLimits.TimeWaitNs / SecondNs),
        ["ipv4/tcp_keepalive_intvl"] = "75",
        ["ipv4/tcp_keepalive_probes"] = "9",
        ["ipv4/tcp_keepalive_time"] = "7200",
        ["ipv4/tcp_max_orphans"] = "16384",
        ["ipv4/tcp_max_tw_buckets"] = "65536",
        ["ipv4/tcp_retries2"] = Text(TcpLimits.Retries),
        ["ipv4/tcp_rmem"] = $"4096\t{TcpLimits.DefaultReceiveBuffer}\t{TcpLimits.MaxReceiveBuffer}",
        ["ipv4/tcp_sack"] = "1",
        ["ipv4/tcp_syn_linear_timeouts"] = Text(TcpLimits.SynLinearTimeouts),
        ["ipv4/tcp_syn_retries"] = Text(TcpLimits.SynRetries),
        ["ipv4/tcp_synack_retries"] = Text(TcpLimits.SynAckRetries),
        ["ipv4/tcp_syncookies"] = "1",
        ["ipv4/tcp_timestamps"] = "1",
        ["ipv4/tcp_tw_reuse"] = "1",
        ["ipv4/tcp_window_scaling"] = "1",
        ["ipv4/tcp_wmem"] = $"4096\t{TcpLimits.DefaultSendBuffer}\t{TcpLimits.MaxSendBuffer}",
        ["ipv6/bindv6only"] = "0",
        ["unix/max_dgram_qlen"] = "10",
    };

    /// <inheritdoc/>
    public IReadOnlyList<string> Paths => [.. s_writable, .. s_fixed.Keys, "ipv4/tcp_mem", "ipv4/udp_mem", .. _interfaces.Paths];

    /// <inheritdoc/>
    public bool IsWritable(string path) => InterfaceSettings.Owns(path) ? InterfaceSettings.IsWritable(path) : s_writable.Contains(path);

    /// <inheritdoc/>
    public string? Read(string path)
    {
        if (InterfaceSettings.Owns(path))
        {
            return _interfaces.Read(path);
        }

        (ushort first, ushort last) = _stack.Tcp.Ports.Range;
        long pages = network.Home.Memory.LimitBytes / PageSize;
        return path switch
        {
            Backlog => Text(network.MaxBacklog),
            ForwardV4 => _stack.ForwardsV4 ? "1" : "0",
            PortRange => $"{first}\t{last}",
            PrivilegedPorts => Text(network.FirstUnprivilegedPort),
            "ipv4/tcp_mem" or "ipv4/udp_mem" => $"{pages}\t{pages}\t{pages}", // all sockets together
            _ => s_fixed[path],
        };
    }

    /// <inheritdoc/>
    public Errno Write(string path, string value)
    {
        string[] words = value.Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return Errno.EINVAL;
        }

        switch (path)
        {
            case var own when InterfaceSettings.Owns(own):
                return _interfaces.Write(path, number);
            case Backlog:
                network.MaxBacklog = number;
                return Errno.None;
            case ForwardV4:
                _stack.ForwardsV4 = number != 0;
                return Errno.None;
            case PrivilegedPorts when number <= ushort.MaxValue:
                network.FirstUnprivilegedPort = number;
                return Errno.None;
            case PortRange when words.Length > 1 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int last) && number >= 1 && last <= ushort.MaxValue && number <= last:
                _stack.Tcp.Ports.Range = ((ushort)number, (ushort)last);
                _stack.Udp.Ports.Range = ((ushort)number, (ushort)last);
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
