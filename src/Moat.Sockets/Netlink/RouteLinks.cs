using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Interfaces;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_*LINK: <c>struct ifinfomsg</c> and IFLA_* attributes.</summary>
internal sealed class RouteLinks(RouteProtocol route)
{
    private const int HeaderLength = 16;
    private const int IFF_UP = 1;
    private const int IFF_LOWER_UP = 0x10000;
    private const int MinMtu = 68;
    private const ushort IFLA_ADDRESS = 1;
    private const ushort IFLA_BROADCAST = 2;
    private const ushort IFLA_IFNAME = 3;
    private const ushort IFLA_MTU = 4;
    private const ushort IFLA_QDISC = 6;
    private const ushort IFLA_STATS = 7;
    private const ushort IFLA_TXQLEN = 13;
    private const ushort IFLA_OPERSTATE = 16;
    private const ushort IFLA_LINKMODE = 17;
    private const ushort IFLA_STATS64 = 23;
    private const ushort IFLA_GROUP = 27;
    private const ushort IFLA_PROMISCUITY = 30;
    private const ushort IFLA_NUM_TX_QUEUES = 31;
    private const ushort IFLA_NUM_RX_QUEUES = 32;
    private const ushort IFLA_CARRIER = 33;
    private const ushort IFLA_MIN_MTU = 50;
    private const ushort IFLA_MAX_MTU = 51;
    private const byte IF_OPER_UNKNOWN = 0;
    private const byte IF_OPER_DOWN = 2;
    private const byte IF_OPER_UP = 6;

    /// <summary>All interfaces. A family that has no interfaces of its own gets all of them, as AF_UNSPEC does.</summary>
    public Errno Dump(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (request.IsStrict && request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        foreach (NetworkInterface link in route.Stack.Interfaces)
        {
            Write(answer, link, RouteMessageType.RTM_NEWLINK, NetlinkFlags.NLM_F_MULTI, changed: 0);
        }

        return Errno.None;
    }

    /// <summary>One interface, by number or name.</summary>
    public Errno Get(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Find(request, out NetworkInterface? link);
        if (errno == Errno.None)
        {
            Write(answer, link!, RouteMessageType.RTM_NEWLINK, NetlinkFlags.None, changed: 0);
        }

        return errno;
    }

    /// <summary>Changes an interface: up or down, MTU. There are no kinds of interface that a guest can make.</summary>
    public Errno Set(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Find(request, out NetworkInterface? link);
        if (errno != Errno.None)
        {
            bool isNew = errno == Errno.ENODEV && request.Header.Type == (ushort)RouteMessageType.RTM_NEWLINK && request.HasAny(NetlinkFlags.NLM_F_CREATE);
            return isNew ? Errno.EOPNOTSUPP : errno;
        }

        if (request.Header.Type == (ushort)RouteMessageType.RTM_NEWLINK && request.HasAny(NetlinkFlags.NLM_F_EXCL))
        {
            return Errno.EEXIST;
        }

        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        errno = attributes.Read(IFLA_MTU, out uint? mtu);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (attributes.TryFind(IFLA_ADDRESS, out _) || (attributes.ReadText(IFLA_IFNAME) is { } name && name != link!.Name))
        {
            return Errno.EOPNOTSUPP; // names and link-layer addresses are the link's
        }

        if (mtu is { } wanted)
        {
            if (wanted < MinMtu || wanted > link!.Link.Mtu)
            {
                return Errno.EINVAL;
            }

            link.Mtu = (int)wanted;
        }

        int flags = BinaryPrimitives.ReadInt32LittleEndian(request.Payload[8..]);
        int change = BinaryPrimitives.ReadInt32LittleEndian(request.Payload[12..]);
        if ((flags != 0 || change != 0) && (change == 0 || (change & IFF_UP) != 0))
        {
            route.Stack.SetUp(link!, (flags & IFF_UP) != 0);
        }

        route.Notify(RouteGroup.RTNLGRP_LINK, request, answer, static (writer, changed) => Write(writer, changed, RouteMessageType.RTM_NEWLINK, NetlinkFlags.None, 0), link!);
        return Errno.None;
    }

    /// <summary>Interfaces stay: none of them is of a kind that can be deleted.</summary>
    public Errno Delete(in NetlinkRequest request)
    {
        Errno errno = Find(request, out _);
        return errno != Errno.None ? errno : Errno.EOPNOTSUPP;
    }

    private Errno Find(in NetlinkRequest request, out NetworkInterface? link)
    {
        link = null;
        if (request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        int index = BinaryPrimitives.ReadInt32LittleEndian(request.Payload[4..]);
        string? name = request.AttributesAfter(HeaderLength).ReadText(IFLA_IFNAME);
        if (index == 0 && name is null)
        {
            // iproute2 asks this to find out whether links can be changed through netlink.
            return request.Header.Type == (ushort)RouteMessageType.RTM_NEWLINK ? Errno.ENODEV : Errno.EINVAL;
        }

        if (index < 0)
        {
            return Errno.EINVAL;
        }

        link = index > 0 ? route.Stack.FindInterface(index) : route.Stack.FindInterface(name!);
        return link is null ? Errno.ENODEV : Errno.None;
    }

    private static void Write(NetlinkWriter writer, NetworkInterface link, RouteMessageType type, NetlinkFlags flags, int changed)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], (ushort)InterfaceFlags.HardwareTypeOf(link));
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], link.Index);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], InterfaceFlags.Of(link) | (link.IsUp ? IFF_LOWER_UP : 0));
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], changed);
        writer.Begin((ushort)type, flags, header);
        writer.Put(IFLA_IFNAME, link.Name);
        writer.Put(IFLA_TXQLEN, 1000u);
        writer.Put(IFLA_OPERSTATE, link.IsLoopback ? IF_OPER_UNKNOWN : link.IsUp ? IF_OPER_UP : IF_OPER_DOWN);
        writer.Put(IFLA_LINKMODE, (byte)0);
        writer.Put(IFLA_MTU, (uint)link.Mtu);
        writer.Put(IFLA_MIN_MTU, link.IsLoopback ? 0u : MinMtu);
        writer.Put(IFLA_MAX_MTU, link.IsLoopback ? 0u : (uint)link.Link.Mtu);
        writer.Put(IFLA_GROUP, 0u);
        writer.Put(IFLA_PROMISCUITY, 0u);
        writer.Put(IFLA_NUM_TX_QUEUES, 1u);
        writer.Put(IFLA_NUM_RX_QUEUES, 1u);
        writer.Put(IFLA_CARRIER, (byte)(link.IsUp ? 1 : 0));
        writer.Put(IFLA_QDISC, "noqueue");
        if (link.IsLoopback || link.HasEthernet)
        {
            writer.Put(IFLA_ADDRESS, link.Link.Address);
            writer.Put(IFLA_BROADCAST, link.IsLoopback ? default : Netstack.Wire.EthernetAddress.Broadcast);
        }

        WriteStatistics(writer, link.Statistics);
        writer.End();
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
