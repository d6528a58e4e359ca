using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Options at the level of IP, which sockets of all protocols have (ip(7)).</summary>
internal static class InetIpOptions
{
    private const int MaxMtuDiscovery = 5; // IP_PMTUDISC_OMIT
    private const byte EcnMask = 3;

    /// <summary>setsockopt(2).</summary>
    public static Errno Set(IInetSocket socket, int option, ReadOnlySpan<byte> value)
    {
        if (InetMembershipOptions.IsOne(option))
        {
            return InetMembershipOptions.SetV4(socket, option, value);
        }

        if (option == IpOption.IP_MULTICAST_IF)
        {
            return SetMulticastInterface(socket, value);
        }

        int number = ReadNumber(value);
        if (FlagOf(option) is { } flag)
        {
            return SetFlag(socket, option, flag, number, value.Length);
        }

        IpSocketOptions options = socket.Ip;
        switch (option)
        {
            case IpOption.IP_TOS:
                int kept = socket.Type == SocketType.SOCK_STREAM ? EcnMask : 0;
                options.TypeOfService = (byte)((number & ~kept) | (options.TypeOfService & kept));
                return Errno.None;
            case IpOption.IP_TTL when value.Length > 0 && number is -1 or (>= 1 and <= byte.MaxValue):
                options.TimeToLive = number == -1 ? (byte)64 : (byte)number;
                return Errno.None;
            case IpOption.IP_MULTICAST_TTL when value.Length > 0 && number is >= -1 and <= byte.MaxValue && socket.Type != SocketType.SOCK_STREAM:
                options.MulticastTimeToLive = number == -1 ? (byte)1 : (byte)number;
                return Errno.None;
            case IpOption.IP_MINTTL when value.Length > 0 && number is >= 0 and <= byte.MaxValue:
                options.MinTimeToLive = (byte)number;
                return Errno.None;
            case IpOption.IP_MTU_DISCOVER when number is >= 0 and <= MaxMtuDiscovery:
                options.MtuDiscovery = (byte)number;
                return Errno.None;
            case IpOption.IP_UNICAST_IF:
                return SetUnicastInterface(socket, value, number);
            case IpOption.IP_OPTIONS when value.IsEmpty:
                return Errno.None; // there are none
            case IpOption.IP_TTL or IpOption.IP_MULTICAST_TTL or IpOption.IP_MINTTL or IpOption.IP_MTU_DISCOVER:
                return Errno.EINVAL;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written: a number that fits one byte is cut to it where there is no room for more.</returns>
    public static Result<int> Get(IInetSocket socket, int option, Span<byte> value)
    {
        IpSocketOptions options = socket.Ip;
        if (option == IpOption.IP_MULTICAST_IF)
        {
            Span<byte> address = stackalloc byte[4];
            options.MulticastSource.WriteTo(address);
            return OptionValue.WriteBytes(address, value);
        }

        if (option == IpOption.IP_OPTIONS)
        {
            return 0;
        }

        if (option == IpOption.IP_MTU && socket.PathMtu == 0)
        {
            return Errno.ENOTCONN;
        }

        if (option == IpOption.IP_HDRINCL && socket.Type != SocketType.SOCK_RAW)
        {
            return Errno.ENOPROTOOPT;
        }

        int? number = FlagOf(option) is { } flag ? options.Has(flag) ? 1 : 0 : option switch
        {
            IpOption.IP_TOS => options.TypeOfService,
            IpOption.IP_TTL => options.TimeToLive,
            IpOption.IP_MULTICAST_TTL => options.MulticastTimeToLive,
            IpOption.IP_MINTTL => options.MinTimeToLive,
            IpOption.IP_MTU_DISCOVER => options.MtuDiscovery,
            IpOption.IP_MTU => Math.Min(socket.PathMtu, ushort.MaxValue),
            IpOption.IP_PROTOCOL => socket.Protocol,
            IpOption.IP_UNICAST_IF => BinaryPrimitives.ReverseEndianness(options.UnicastInterface),
            _ => null,
        };
        if (number is not { } known)
        {
            return Errno.ENOPROTOOPT;
        }

        if (value.Length is > 0 and < sizeof(int) && known is >= 0 and <= byte.MaxValue)
        {
            value[0] = (byte)known;
            return 1;
        }

        return OptionValue.WriteInt(known, value);
    }

    // do_ip_setsockopt: an int, a single byte, or nothing at all.
    private static int ReadNumber(ReadOnlySpan<byte> value) => value.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(value) : value.Length > 0 ? value[0] : 0;

    private static IpFlags? FlagOf(int option) => option switch
    {
        IpOption.IP_PKTINFO => IpFlags.PacketInfo,
        IpOption.IP_RECVTTL => IpFlags.TimeToLive,
        IpOption.IP_RECVTOS => IpFlags.TypeOfService,
        IpOption.IP_RECVERR => IpFlags.Errors,
        IpOption.IP_RECVORIGDSTADDR => IpFlags.OriginalDestination,
        IpOption.IP_FREEBIND => IpFlags.FreeBind,
        IpOption.IP_MULTICAST_LOOP => IpFlags.MulticastLoop,
        IpOption.IP_MULTICAST_ALL => IpFlags.MulticastAll,
        IpOption.IP_BIND_ADDRESS_NO_PORT => IpFlags.BindsNoPort,
        IpOption.IP_HDRINCL => IpFlags.IncludesHeader,
        _ => null,
    };

    private static Errno SetFlag(IInetSocket socket, int option, IpFlags flag, int number, int length)
    {
        switch (flag)
        {
            case IpFlags.MulticastAll when length < 1 || number is not (0 or 1):
            case IpFlags.MulticastLoop or IpFlags.FreeBind when length < 1:
                return Errno.EINVAL;
            case IpFlags.IncludesHeader when socket.Type != SocketType.SOCK_RAW:
                return Errno.ENOPROTOOPT;
        }

        socket.Ip.Set(flag, number != 0);
        if (option == IpOption.IP_RECVERR && number == 0)
        {
            socket.Errors?.Clear();
        }

        return Errno.None;
    }

    // struct in_addr, ip_mreq or ip_mreqn: an interface by its address or its number.
    private static Errno SetMulticastInterface(IInetSocket socket, ReadOnlySpan<byte> value)
    {
        if (socket.Type == SocketType.SOCK_STREAM || value.Length < 4)
        {
            return Errno.EINVAL;
        }

        IpAddress address = IpAddress.FromBytes(value.Length >= InetMembershipOptions.MreqLength ? value.Slice(4, 4) : value[..4]);
        int index = value.Length >= InetMembershipOptions.MreqnLength ? BinaryPrimitives.ReadInt32LittleEndian(value[InetMembershipOptions.MreqLength..]) : 0;
        if (index == 0 && !address.IsAny)
        {
            index = InetMembershipOptions.FindInterface(socket.Stack, address);
            if (index == 0)
            {
                return Errno.EADDRNOTAVAIL;
            }
        }

        if (index != 0 && socket.Stack.FindInterface(index) is null)
        {
            return Errno.EADDRNOTAVAIL;
        }

        if (index != 0 && socket.Ip.BoundInterface != 0 && socket.Ip.BoundInterface != index)
        {
            return Errno.EINVAL;
        }

        (socket.Ip.MulticastInterface, socket.Ip.MulticastSource) = (index, address);
        return Errno.None;
    }

    // The number is in network order.
    private static Errno SetUnicastInterface(IInetSocket socket, ReadOnlySpan<byte> value, int number)
    {
        if (value.Length != sizeof(int))
        {
            return Errno.EINVAL;
        }

        int index = BinaryPrimitives.ReverseEndianness(number);
        if (index != 0 && socket.Stack.FindInterface(index) is null)
        {
            return Errno.EADDRNOTAVAIL;
        }

        if (index != 0 && socket.Ip.BoundInterface != 0 && socket.Ip.BoundInterface != index)
        {
            return Errno.EINVAL;
        }

        socket.Ip.UnicastInterface = index;
        return Errno.None;
    }
}
