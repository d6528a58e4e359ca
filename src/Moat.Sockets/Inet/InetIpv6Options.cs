using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Sockets;

namespace Moat.Sockets.Inet;

/// <summary>Options at the level of IPv6, which sockets of AF_INET6 and all protocols have (ipv6(7), RFC 3493, RFC 3542). IPV6_V6ONLY is the protocols' own.</summary>
internal static class InetIpv6Options
{
    private const int MaxMtuDiscovery = 5; // IPV6_PMTUDISC_OMIT
    private const byte EcnMask = 3;

    /// <summary>setsockopt(2).</summary>
    public static Errno Set(IInetSocket socket, int option, ReadOnlySpan<byte> value)
    {
        if (option is IpOption.IPV6_JOIN_GROUP or IpOption.IPV6_LEAVE_GROUP || InetMembershipOptions.IsOfBothVersions(option))
        {
            return InetMembershipOptions.SetV6(socket, option, value);
        }

        if (!IsKnown(option))
        {
            return Errno.ENOPROTOOPT;
        }

        if (value.Length < sizeof(int))
        {
            return Errno.EINVAL;
        }

        int number = BinaryPrimitives.ReadInt32LittleEndian(value);
        if (FlagOf(option) is { } flag)
        {
            return SetFlag(socket, option, flag, number);
        }

        bool isStream = socket.Type == SocketType.SOCK_STREAM;
        IpSocketOptions options = socket.Ip;
        switch (option)
        {
            case IpOption.IPV6_UNICAST_HOPS when number is >= -1 and <= byte.MaxValue:
                options.HopLimit = number;
                return Errno.None;
            case IpOption.IPV6_MULTICAST_HOPS or IpOption.IPV6_MULTICAST_IF when isStream:
                return Errno.ENOPROTOOPT;
            case IpOption.IPV6_MULTICAST_HOPS when number is >= -1 and <= byte.MaxValue:
                options.MulticastHops = number == -1 ? (byte)1 : (byte)number;
                return Errno.None;
            case IpOption.IPV6_TCLASS when number is >= -1 and <= byte.MaxValue:
                int kept = isStream ? EcnMask : 0;
                options.TrafficClass = (byte)((Math.Max(number, 0) & ~kept) | (options.TrafficClass & kept));
                return Errno.None;
            case IpOption.IPV6_MINHOPCOUNT when number is >= 0 and <= byte.MaxValue:
                options.MinHopCount = (byte)number;
                return Errno.None;
            case IpOption.IPV6_MTU_DISCOVER when number is >= 0 and <= MaxMtuDiscovery:
                options.MtuDiscoveryV6 = (byte)number;
                return Errno.None;
            case IpOption.IPV6_MULTICAST_IF:
                return SetMulticastInterface(socket, number);
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written.</returns>
    public static Result<int> Get(IInetSocket socket, int option, Span<byte> value)
    {
        IpSocketOptions options = socket.Ip;
        if (option == IpOption.IPV6_MTU && socket.PathMtu == 0)
        {
            return Errno.ENOTCONN;
        }

        int? number = FlagOf(option) is { } flag ? options.Has(flag) ? 1 : 0 : option switch
        {
            IpOption.IPV6_UNICAST_HOPS => options.HopLimit == -1 ? 64 : options.HopLimit,
            IpOption.IPV6_MULTICAST_HOPS => options.MulticastHops,
            IpOption.IPV6_TCLASS => options.TrafficClass,
            IpOption.IPV6_MINHOPCOUNT => options.MinHopCount,
            IpOption.IPV6_MTU_DISCOVER => options.MtuDiscoveryV6,
            IpOption.IPV6_MULTICAST_IF => options.MulticastInterfaceV6,
            IpOption.IPV6_MTU => socket.PathMtu,
            _ => null,
        };
        return number is { } known ? OptionValue.WriteInt(known, value) : Errno.ENOPROTOOPT;
    }

    private static bool IsKnown(int option) => FlagOf(option) is not null
        || option is IpOption.IPV6_UNICAST_HOPS or IpOption.IPV6_MULTICAST_HOPS or IpOption.IPV6_TCLASS or IpOption.IPV6_MINHOPCOUNT or IpOption.IPV6_MTU_DISCOVER or IpOption.IPV6_MULTICAST_IF;

    private static IpFlags? FlagOf(int option) => option switch
    {
        IpOption.IPV6_RECVPKTINFO => IpFlags.PacketInfoV6,
        IpOption.IPV6_RECVHOPLIMIT => IpFlags.HopLimit,
        IpOption.IPV6_RECVTCLASS => IpFlags.TrafficClass,
        IpOption.IPV6_RECVERR => IpFlags.ErrorsV6,
        IpOption.IPV6_MULTICAST_LOOP => IpFlags.MulticastLoopV6,
        IpOption.IPV6_MULTICAST_ALL => IpFlags.MulticastAllV6,
        IpOption.IPV6_DONTFRAG => IpFlags.DontFragmentV6,
        IpOption.IPV6_FREEBIND => IpFlags.FreeBind,
        _ => null,
    };

    private static Errno SetFlag(IInetSocket socket, int option, IpFlags flag, int number)
    {
        if (flag is IpFlags.MulticastLoopV6 && number is not (0 or 1))
        {
            return Errno.EINVAL;
        }

        socket.Ip.Set(flag, number != 0);
        if (option == IpOption.IPV6_RECVERR && number == 0)
        {
            socket.Errors?.Clear();
        }

        return Errno.None;
    }

    private static Errno SetMulticastInterface(IInetSocket socket, int index)
    {
        if (index != 0 && socket.Stack.FindInterface(index) is null)
        {
            return Errno.ENODEV;
        }

        if (index != 0 && socket.Ip.BoundInterface != 0 && socket.Ip.BoundInterface != index)
        {
            return Errno.EINVAL;
        }

        socket.Ip.MulticastInterfaceV6 = index;
        return Errno.None;
    }
}
