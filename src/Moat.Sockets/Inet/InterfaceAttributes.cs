using System.Globalization;
using Moat.Kernel;
using Moat.Linux;
using Moat.Netstack.Bridging;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Inet;

/// <summary>The attributes of interfaces below /sys/class/net (Documentation/ABI/testing/sysfs-class-net): NAME/mtu, NAME/statistics/rx_bytes, of ports NAME/brport/hairpin_mode.</summary>
internal sealed class InterfaceAttributes(SocketNetwork network) : INetworkSettings
{
    private const string PortFolder = "brport/";
    private const string BridgeFolder = "bridge/";
    private const string StatisticsFolder = "statistics/";
    private const string Nothing = "0";

    private static readonly string[] s_common =
    [
        "addr_assign_type", "addr_len", "address", "broadcast", "carrier", "dev_id", "dormant", "flags", "ifalias", "ifindex", "iflink", "link_mode", "mtu", "name_assign_type", "operstate", "tx_queue_len", "type", "uevent",
        StatisticsFolder + "rx_bytes", StatisticsFolder + "rx_dropped", StatisticsFolder + "rx_errors", StatisticsFolder + "rx_packets",
        StatisticsFolder + "tx_bytes", StatisticsFolder + "tx_dropped", StatisticsFolder + "tx_errors", StatisticsFolder + "tx_packets",
    ];

    private static readonly string[] s_port = [PortFolder + "hairpin_mode", PortFolder + "isolated", PortFolder + "learning", PortFolder + "port_no", PortFolder + "state", PortFolder + "unicast_flood"];
    private static readonly string[] s_bridge = [BridgeFolder + "ageing_time", BridgeFolder + "multicast_snooping", BridgeFolder + "stp_state", BridgeFolder + "vlan_filtering"];
    private static readonly string[] s_writable = ["flags", "ifalias", "mtu", "tx_queue_len", PortFolder + "hairpin_mode", PortFolder + "isolated", PortFolder + "learning", PortFolder + "unicast_flood", BridgeFolder + "ageing_time"];

    /// <inheritdoc/>
    public IReadOnlyList<string> Paths
    {
        get
        {
            List<string> paths = [];
            foreach (NetworkInterface link in network.Stack.Interfaces)
            {
                foreach (string attribute in (string[])[.. s_common, .. link.Port is null ? [] : s_port, .. link.Link is BridgeLink ? s_bridge : []])
                {
                    paths.Add(link.Name + "/" + attribute);
                }
            }

            return paths;
        }
    }

    /// <inheritdoc/>
    public bool IsWritable(string path) => s_writable.Contains(path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    /// <inheritdoc/>
    public string? Read(string path)
    {
        if (Find(path, out string attribute) is not { } link)
        {
            return null;
        }

        return attribute.StartsWith(StatisticsFolder, StringComparison.Ordinal) ? Text(Count(link.Statistics, attribute[StatisticsFolder.Length..]))
            : attribute.StartsWith(PortFolder, StringComparison.Ordinal) ? link.Port is { } port ? ReadPort(port, attribute[PortFolder.Length..]) : null
            : attribute.StartsWith(BridgeFolder, StringComparison.Ordinal) ? link.Link is BridgeLink bridge ? ReadBridge(bridge, attribute[BridgeFolder.Length..]) : null
            : ReadCommon(link, attribute);
    }

    /// <inheritdoc/>
    public Errno Write(string path, string value)
    {
        lock (network.LinkLock)
        {
            if (Find(path, out string attribute) is not { } link)
            {
                return Errno.ENOENT;
            }

            string text = value.Trim();
            if (attribute == "ifalias")
            {
                link.Alias = text.Length > 0 ? text : null;
                link.Stack.Observer?.OnLink(link);
                return Errno.None;
            }

            bool isHexadecimal = text.StartsWith("0x", StringComparison.Ordinal);
            if (!(isHexadecimal ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint number) : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)))
            {
                return Errno.EINVAL;
            }

            Errno errno = Change(link, attribute, number);
            if (errno == Errno.None)
            {
                link.Stack.Observer?.OnLink(link);
            }

            return errno;
        }
    }

    private static Errno Change(NetworkInterface link, string attribute, uint number)
    {
        bool isOn = number != 0;
        switch (attribute)
        {
            case "mtu":
                return LinkChanger.SetMtu(link, number);
            case "flags":
                LinkChanger.SetFlags(link, unchecked((int)number));
                return Errno.None;
            case "tx_queue_len":
                link.QueueLength = number;
                return Errno.None;
            case BridgeFolder + "ageing_time" when link.Link is BridgeLink bridge:
                bridge.AgeingNs = number * LinkMaker.TickNs;
                return Errno.None;
            case PortFolder + "hairpin_mode" when link.Port is { } port:
                port.IsHairpin = isOn;
                return Errno.None;
            case PortFolder + "isolated" when link.Port is { } port:
                port.IsIsolated = isOn;
                return Errno.None;
            case PortFolder + "learning" when link.Port is { } port:
                port.Learns = isOn;
                return Errno.None;
            case PortFolder + "unicast_flood" when link.Port is { } port:
                port.Floods = isOn;
                return Errno.None;
            default:
                return Errno.ENOENT;
        }
    }

    private static string ReadCommon(NetworkInterface link, string attribute) => attribute switch
    {
        "addr_len" => link.HasEthernet || link.IsLoopback ? "6" : Nothing,
        "address" => link.HasEthernet || link.IsLoopback ? link.Link.Address.ToString() : "",
        "broadcast" => link.HasEthernet ? Netstack.Wire.EthernetAddress.Broadcast.ToString() : link.IsLoopback ? default(Netstack.Wire.EthernetAddress).ToString() : "",
        "carrier" => link.IsRunning ? "1" : Nothing,
        "dev_id" => "0x0",
        "flags" => "0x" + InterfaceFlags.Of(link).ToString("x", CultureInfo.InvariantCulture),
        "ifalias" => link.Alias ?? "",
        "ifindex" => Text(link.Index),
        "iflink" => Text(link.Link is VethLink { Peer.Interface: { } peer } ? peer.Index : link.Index),
        "mtu" => Text(link.Mtu),
        "name_assign_type" => "3",
        "operstate" => LinkMessage.OperationalState(link) switch { 0 => "unknown", 3 => "lowerlayerdown", 6 => "up", _ => "down" },
        "tx_queue_len" => Text(link.QueueLength),
        "type" => Text(InterfaceFlags.HardwareTypeOf(link)),
        "uevent" => $"INTERFACE={link.Name}\nIFINDEX={Text(link.Index)}",
        _ => Nothing, // addr_assign_type, dormant, link_mode
    };

    private static string ReadPort(BridgePort port, string attribute) => attribute switch
    {
        "hairpin_mode" => Text(port.IsHairpin ? 1 : 0),
        "isolated" => Text(port.IsIsolated ? 1 : 0),
        "learning" => Text(port.Learns ? 1 : 0),
        "port_no" => "0x" + port.Number.ToString("x", CultureInfo.InvariantCulture),
        "state" => port.Interface.IsRunning ? "3" : Nothing,
        _ => Text(port.Floods ? 1 : 0),
    };

    private static string ReadBridge(BridgeLink bridge, string attribute) => attribute == "ageing_time" ? Text(bridge.AgeingNs / LinkMaker.TickNs) : Nothing;

    private static long Count(InterfaceStatistics counts, string name) => name switch
    {
        "rx_bytes" => counts.ReceivedBytes,
        "rx_dropped" => counts.ReceiveDropped,
        "rx_errors" => counts.ReceiveErrors,
        "rx_packets" => counts.ReceivedPackets,
        "tx_bytes" => counts.SentBytes,
        "tx_dropped" => counts.SendDropped,
        "tx_packets" => counts.SentPackets,
        _ => 0,
    };

    private NetworkInterface? Find(string path, out string attribute)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        attribute = path[(slash + 1)..];
        return network.Stack.FindInterface(path[..slash]);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
