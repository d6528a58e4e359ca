using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Options of a UDP socket at the levels of IP and IPv6 (ip(7), ipv6(7)).</summary>
internal static class InetDatagramOptions
{
    /// <summary>setsockopt(2).</summary>
    public static Errno Set(InetDatagram socket, int level, int option, ReadOnlySpan<byte> value)
    {
        if (level == InetLevel.IPPROTO_IP && option is IpOption.IP_ADD_MEMBERSHIP or IpOption.IP_DROP_MEMBERSHIP)
        {
            return SetMembership(socket, option == IpOption.IP_ADD_MEMBERSHIP, value);
        }

        bool isV6 = socket.Domain == AddressFamily.AF_INET6;
        if (level == InetLevel.IPPROTO_IPV6 && option == IpOption.IPV6_V6ONLY && isV6)
        {
            if (!OptionValue.ReadInt(value).TryGet(out int only, out Errno errno) || socket.Udp.Local.Port != 0)
            {
                return errno != Errno.None ? errno : Errno.EINVAL; // it is bound
            }

            socket.Udp.IsV6Only = only != 0;
            return Errno.None;
        }

        return SetPlain(socket.Udp.Options, isV6, level, option, value);
    }

    /// <summary>setsockopt(2) for options that only hold a number, of any socket for datagrams.</summary>
    public static Errno SetPlain(IpSocketOptions options, bool isV6, int level, int option, ReadOnlySpan<byte> value)
    {
        bool isIpv6 = level == InetLevel.IPPROTO_IPV6 && isV6;
        if (level != InetLevel.IPPROTO_IP && !isIpv6)
        {
            return Errno.ENOPROTOOPT;
        }

        if (!OptionValue.ReadInt(value, mayBeByte: !isIpv6).TryGet(out int number, out Errno errno))
        {
            return errno;
        }

        return isIpv6 ? SetIpv6(options, option, number) : SetIp(options, option, number);
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written.</returns>
    public static Result<int> Get(InetDatagram socket, int level, int option, Span<byte> value)
    {
        bool isV6 = socket.Domain == AddressFamily.AF_INET6;
        bool isV6Only = level == InetLevel.IPPROTO_IPV6 && option == IpOption.IPV6_V6ONLY && isV6;
        int? number = isV6Only ? socket.Udp.IsV6Only ? 1 : 0 : GetPlain(socket.Udp.Options, isV6, level, option);
        return number is { } known ? OptionValue.WriteInt(known, value) : Errno.ENOPROTOOPT;
    }

    /// <summary>getsockopt(2) for options that only hold a number, of any socket for datagrams; null if there is no such option.</summary>
    public static int? GetPlain(IpSocketOptions options, bool isV6, int level, int option) =>
        (level, option) switch
        {
            (InetLevel.IPPROTO_IP, IpOption.IP_TOS) => options.TypeOfService,
            (InetLevel.IPPROTO_IP, IpOption.IP_TTL) => options.TimeToLive,
            (InetLevel.IPPROTO_IP, IpOption.IP_MTU_DISCOVER) => options.DontFragment ? 2 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_RECVERR) => options.ReceivesErrors ? 1 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_PKTINFO) => options.ReceivesPacketInfo ? 1 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_RECVTTL) => options.ReceivesTimeToLive ? 1 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_RECVTOS) => options.ReceivesTypeOfService ? 1 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_FREEBIND) => options.FreeBind ? 1 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_MULTICAST_TTL) => options.MulticastTimeToLive,
            (InetLevel.IPPROTO_IP, IpOption.IP_MULTICAST_LOOP) => options.MulticastLoop ? 1 : 0,
            (InetLevel.IPPROTO_IP, IpOption.IP_MULTICAST_ALL) => options.MulticastAll ? 1 : 0,
            (InetLevel.IPPROTO_IPV6, IpOption.IPV6_RECVPKTINFO) when isV6 => options.ReceivesPacketInfo ? 1 : 0,
            (InetLevel.IPPROTO_IPV6, IpOption.IPV6_RECVHOPLIMIT) when isV6 => options.ReceivesTimeToLive ? 1 : 0,
            (InetLevel.IPPROTO_IPV6, IpOption.IPV6_RECVTCLASS) when isV6 => options.ReceivesTypeOfService ? 1 : 0,
            (InetLevel.IPPROTO_IPV6, IpOption.IPV6_UNICAST_HOPS) when isV6 => options.TimeToLive,
            (InetLevel.IPPROTO_IPV6, IpOption.IPV6_TCLASS) when isV6 => options.TypeOfService,
            _ => null,
        };

    private static Errno SetIp(IpSocketOptions options, int option, int value)
    {
        switch (option)
        {
            case IpOption.IP_TOS:
                options.TypeOfService = (byte)value;
                return Errno.None;
            case IpOption.IP_TTL when value is -1 or (>= 1 and <= byte.MaxValue):
                options.TimeToLive = value == -1 ? (byte)64 : (byte)value;
                return Errno.None;
            case IpOption.IP_MULTICAST_TTL when value is >= -1 and <= byte.MaxValue:
                options.MulticastTimeToLive = value == -1 ? (byte)1 : (byte)value;
                return Errno.None;
            case IpOption.IP_TTL or IpOption.IP_MULTICAST_TTL:
                return Errno.EINVAL;
            case IpOption.IP_MULTICAST_LOOP:
                options.MulticastLoop = value != 0;
                return Errno.None;
            case IpOption.IP_MULTICAST_ALL when value is 0 or 1:
                options.MulticastAll = value != 0;
                return Errno.None;
            case IpOption.IP_MTU_DISCOVER when value is >= 0 and <= 5:
                options.DontFragment = value is 2 or 3;
                return Errno.None;
            case IpOption.IP_MULTICAST_ALL or IpOption.IP_MTU_DISCOVER:
                return Errno.EINVAL;
            case IpOption.IP_RECVERR:
                options.ReceivesErrors = value != 0;
                return Errno.None;
            case IpOption.IP_PKTINFO:
                options.ReceivesPacketInfo = value != 0;
                return Errno.None;
            case IpOption.IP_RECVTTL:
                options.ReceivesTimeToLive = value != 0;
                return Errno.None;
            case IpOption.IP_RECVTOS:
                options.ReceivesTypeOfService = value != 0;
                return Errno.None;
            case IpOption.IP_FREEBIND:
                options.FreeBind = value != 0;
                return Errno.None;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    private static Errno SetIpv6(IpSocketOptions options, int option, int value)
    {
        switch (option)
        {
            case IpOption.IPV6_UNICAST_HOPS when value is >= -1 and <= byte.MaxValue:
                options.TimeToLive = value == -1 ? (byte)64 : (byte)value;
                return Errno.None;
            case IpOption.IPV6_MULTICAST_HOPS when value is >= -1 and <= byte.MaxValue:
                options.MulticastTimeToLive = value == -1 ? (byte)1 : (byte)value;
                return Errno.None;
            case IpOption.IPV6_TCLASS when value is >= -1 and <= byte.MaxValue:
                options.TypeOfService = value == -1 ? (byte)0 : (byte)value;
                return Errno.None;
            case IpOption.IPV6_MULTICAST_LOOP when value is 0 or 1:
                options.MulticastLoop = value != 0;
                return Errno.None;
            case IpOption.IPV6_UNICAST_HOPS or IpOption.IPV6_MULTICAST_HOPS or IpOption.IPV6_TCLASS or IpOption.IPV6_MULTICAST_LOOP:
                return Errno.EINVAL;
            case IpOption.IPV6_RECVPKTINFO:
                options.ReceivesPacketInfo = value != 0;
                return Errno.None;
            case IpOption.IPV6_RECVHOPLIMIT:
                options.ReceivesTimeToLive = value != 0;
                return Errno.None;
            case IpOption.IPV6_RECVTCLASS:
                options.ReceivesTypeOfService = value != 0;
                return Errno.None;
            case IpOption.IPV6_RECVERR:
                options.ReceivesErrors = value != 0;
                return Errno.None;
            case IpOption.IPV6_MTU_DISCOVER when value is >= 0 and <= 5:
                options.DontFragment = value is 2 or 3;
                return Errno.None;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    // struct ip_mreq (group, address of the interface) or ip_mreqn (and its number).
    private static Errno SetMembership(InetDatagram socket, bool join, ReadOnlySpan<byte> value)
    {
        const int ShortLength = 8;
        const int LongLength = 12;
        if (value.Length < ShortLength)
        {
            return Errno.EINVAL;
        }

        IpAddress group = IpAddress.FromBytes(value[..4]);
        IpAddress address = IpAddress.FromBytes(value.Slice(4, 4));
        int index = value.Length >= LongLength ? BinaryPrimitives.ReadInt32LittleEndian(value[ShortLength..]) : 0;
        if (index == 0 && !address.IsAny)
        {
            index = socket.FindInterface(address);
            if (index == 0)
            {
                return Errno.ENODEV;
            }
        }

        return (join ? socket.Udp.Join(group, index) : socket.Udp.Leave(group, index)).ToErrno();
    }
}
