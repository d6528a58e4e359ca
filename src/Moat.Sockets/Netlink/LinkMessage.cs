using System.Buffers.Binary;
using Moat.Netstack.Bridging;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;
using static Moat.Sockets.Netlink.LinkAttribute;

namespace Moat.Sockets.Netlink;

/// <summary>Writes what RTM_NEWLINK and RTM_DELLINK tell of an interface.</summary>
internal static class LinkMessage
{
    /// <summary>Bytes of <c>struct ifinfomsg</c>.</summary>
    public const int HeaderLength = 16;

    private const int IFF_LOWER_UP = 0x10000;
    private const uint MinMtu = 68;
    private const byte IF_OPER_UNKNOWN = 0;
    private const byte IF_OPER_DOWN = 2;
    private const byte IF_OPER_LOWERLAYERDOWN = 3;
    private const byte IF_OPER_UP = 6;

    /// <summary>Writes one message.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="network">The network that the receiver is in.</param>
    /// <param name="link">The interface.</param>
    /// <param name="type">RTM_NEWLINK or RTM_DELLINK.</param>
    /// <param name="flags">NLM_F_*.</param>
    public static void Write(NetlinkWriter writer, SocketNetwork network, NetworkInterface link, RouteMessageType type, NetlinkFlags flags)
    {
        Begin(writer, link, type, flags, AddressFamily.AF_UNSPEC);
        writer.Put(IFLA_IFNAME, link.Name);
        writer.Put(IFLA_TXQLEN, link.QueueLength);
        writer.Put(IFLA_OPERSTATE, OperationalState(link));
        writer.Put(IFLA_LINKMODE, (byte)0);
        writer.Put(IFLA_MTU, (uint)link.Mtu);
        writer.Put(IFLA_MIN_MTU, link.IsLoopback ? 0u : MinMtu);
        writer.Put(IFLA_MAX_MTU, link.IsLoopback ? 0u : (uint)link.Link.MaxMtu);
        writer.Put(IFLA_GROUP, link.Group);
        writer.Put(IFLA_PROMISCUITY, link.Port is not null ? 1u : 0u);
        writer.Put(IFLA_NUM_TX_QUEUES, 1u);
        writer.Put(IFLA_NUM_RX_QUEUES, 1u);
        writer.Put(IFLA_CARRIER, (byte)(link.IsRunning ? 1 : 0));
        writer.Put(IFLA_QDISC, link.IsUp || link.IsLoopback ? "noqueue" : "noop");
        if (link.IsLoopback || link.HasEthernet)
        {
            writer.Put(IFLA_ADDRESS, link.Link.Address);
            writer.Put(IFLA_BROADCAST, link.IsLoopback ? default : EthernetAddress.Broadcast);
        }

        if (link.Alias is { } alias)
        {
            writer.Put(IFLA_IFALIAS, alias);
        }

        if (link.Port is { } port && port.Bridge.Interface is { } master)
        {
            writer.Put(IFLA_MASTER, (uint)master.Index);
        }

        WritePeer(writer, network, link);
        WriteStatistics(writer, link.Statistics);
        WriteKind(writer, link);
        writer.End();
    }

    /// <summary>Writes what a bridge's port is (the answer to AF_BRIDGE).</summary>
    public static void WritePort(NetlinkWriter writer, BridgePort port, NetlinkFlags flags)
    {
        Begin(writer, port.Interface, RouteMessageType.RTM_NEWLINK, flags, AddressFamily.AF_BRIDGE);
        writer.Put(IFLA_IFNAME, port.Interface.Name);
        writer.Put(IFLA_MASTER, (uint)(port.Bridge.Interface?.Index ?? 0));
        writer.Put(IFLA_MTU, (uint)port.Interface.Mtu);
        writer.Put(IFLA_OPERSTATE, OperationalState(port.Interface));
        writer.Put(IFLA_ADDRESS, port.Interface.Link.Address);
        int nest = writer.BeginNest(IFLA_PROTINFO | NetlinkAttributes.Nested);
        WritePortOptions(writer, port);
        writer.EndNest(nest);
        writer.End();
    }

    /// <summary>IF_OPER_*.</summary>
    public static byte OperationalState(NetworkInterface link) =>
        !link.IsUp ? IF_OPER_DOWN
        : !link.Link.HasCarrier ? link.Link is VethLink ? IF_OPER_LOWERLAYERDOWN : IF_OPER_DOWN
        : link.IsLoopback || link.Link is DummyLink || !link.HasEthernet ? IF_OPER_UNKNOWN : IF_OPER_UP;

    private static void Begin(NetlinkWriter writer, NetworkInterface link, RouteMessageType type, NetlinkFlags flags, AddressFamily family)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header.Clear();
        header[0] = (byte)family;
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], (ushort)InterfaceFlags.HardwareTypeOf(link));
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], link.Index);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], InterfaceFlags.Of(link) | (link.IsRunning ? IFF_LOWER_UP : 0));
        writer.Begin((ushort)type, flags, header);
    }

    // The other end of a pair; which network that is in, if it is another one, says its number here.
    private static void WritePeer(NetlinkWriter writer, SocketNetwork network, NetworkInterface link)
    {
        if (link.Link is not VethLink { Peer.Interface: { } peer })
        {
            return;
        }

        writer.Put(IFLA_LINK, (uint)peer.Index);
        if (peer.Stack != network.Stack && SocketNetwork.Of(peer.Stack) is { } other)
        {
            writer.Put(IFLA_LINK_NETNSID, (uint)network.NumberOf(other, mayAssign: true));
        }
    }

    private static void WriteKind(NetlinkWriter writer, NetworkInterface link)
    {
        if (link.Link.Kind is null && link.Port is null)
        {
            return;
        }

        int nest = writer.BeginNest(IFLA_LINKINFO);
        if (link.Link.Kind is { } kind)
        {
            writer.Put(IFLA_INFO_KIND, kind);
        }

        if (link.Link is BridgeLink bridge)
        {
            int data = writer.BeginNest(IFLA_INFO_DATA);
            writer.Put(IFLA_BR_AGEING_TIME, (uint)(bridge.AgeingNs / LinkMaker.TickNs));
            writer.Put(IFLA_BR_STP_STATE, 0u);
            writer.Put(IFLA_BR_VLAN_FILTERING, (byte)0);
            writer.Put(IFLA_BR_MCAST_SNOOPING, (byte)0);
            writer.EndNest(data);
        }

        if (link.Port is { } port)
        {
            writer.Put(IFLA_INFO_SLAVE_KIND, "bridge");
            int data = writer.BeginNest(IFLA_INFO_SLAVE_DATA);
            WritePortOptions(writer, port);
            writer.EndNest(data);
        }

        writer.EndNest(nest);
    }

    private static void WritePortOptions(NetlinkWriter writer, BridgePort port)
    {
        const byte Disabled = 0;
        const byte Forwarding = 3;
        Span<byte> number = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(number, 32);
        writer.Put(IFLA_BRPORT_STATE, port.Interface.IsRunning ? Forwarding : Disabled);
        writer.Put(IFLA_BRPORT_PRIORITY, number);
        writer.Put(IFLA_BRPORT_COST, 2u);
        writer.Put(IFLA_BRPORT_MODE, (byte)(port.IsHairpin ? 1 : 0));
        writer.Put(IFLA_BRPORT_LEARNING, (byte)(port.Learns ? 1 : 0));
        writer.Put(IFLA_BRPORT_UNICAST_FLOOD, (byte)(port.Floods ? 1 : 0));
        writer.Put(IFLA_BRPORT_ISOLATED, (byte)(port.IsIsolated ? 1 : 0));
    }

    // struct rtnl_link_stats64 and, of the same numbers in 32 bits, struct rtnl_link_stats.
    private static void WriteStatistics(NetlinkWriter writer, InterfaceStatistics statistics)
    {
        const int Count64 = 25;
        const int Count32 = 24;
        ReadOnlySpan<long> numbers =
        [
            statistics.ReceivedPackets, statistics.SentPackets, statistics.ReceivedBytes, statistics.SentBytes, statistics.ReceiveErrors, 0, statistics.ReceiveDropped, statistics.SendDropped,
        ];
        Span<byte> wide = stackalloc byte[Count64 * sizeof(ulong)];
        Span<byte> narrow = stackalloc byte[Count32 * sizeof(uint)];
        wide.Clear();
        narrow.Clear();
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(wide[(i * sizeof(ulong))..], numbers[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(narrow[(i * sizeof(uint))..], unchecked((uint)numbers[i]));
        }

        writer.Put(IFLA_STATS64, wide);
        writer.Put(IFLA_STATS, narrow);
    }
}
