using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Options of a UDP socket at the levels of UDP, IP and IPv6 (udp(7), ip(7), ipv6(7)).</summary>
internal static class InetDatagramOptions
{
    public const int UDP_SEGMENT = 103;

    private const int UDP_CORK = 1;
    private const int UDP_NO_CHECK6_TX = 101;
    private const int UDP_NO_CHECK6_RX = 102;
    private const int UDP_GRO = 104;
    private const int UDPLITE_SEND_CSCOV = 10;
    private const int UDPLITE_RECV_CSCOV = 11;

    /// <summary>Tells the stack's side of a datagram or raw socket what has been set at SOL_SOCKET.</summary>
    public static void Apply(SocketOptions options, IpSocketOptions ip)
    {
        ip.Broadcast = options.Broadcast;
        ip.Mark = options.Mark;
        ip.BoundInterface = options.BoundInterface;
        ip.Filter = options.Filter;
        ip.StampsArrival = options.Timestamps != SocketTimestamps.None;
    }

    /// <summary>setsockopt(2).</summary>
    public static Errno Set(InetDatagram socket, int level, int option, ReadOnlySpan<byte> value)
    {
        switch (level)
        {
            case InetLevel.IPPROTO_UDP when option == UDP_CORK:
                return OptionValue.ReadInt(value).TryGet(out int corks, out Errno errno) ? socket.SetCork(corks != 0) : errno;
            case InetLevel.IPPROTO_UDP when option is UDP_NO_CHECK6_TX or UDP_NO_CHECK6_RX:
                return OptionValue.ReadInt(value).TryGet(out int lacks, out errno) ? SetNoChecksum(socket.Udp, option, lacks != 0) : errno;
            case InetLevel.IPPROTO_UDP when option is UDP_SEGMENT or UDP_GRO:
                return OptionValue.ReadInt(value).TryGet(out int number, out errno) ? SetOffload(socket, option, number) : errno;
            case InetLevel.IPPROTO_UDPLITE when socket.Udp.IsLite && option is UDPLITE_SEND_CSCOV or UDPLITE_RECV_CSCOV:
                return OptionValue.ReadInt(value).TryGet(out int coverage, out errno) ? SetCoverage(socket, option, coverage) : errno;
            case InetLevel.IPPROTO_IPV6 when socket.IsV6 && option == IpOption.IPV6_V6ONLY:
                if (!OptionValue.ReadInt(value).TryGet(out int only, out errno) || socket.Udp.Local.Port != 0)
                {
                    return errno != Errno.None ? errno : Errno.EINVAL; // it is bound
                }

                socket.Udp.IsV6Only = only != 0;
                return Errno.None;
            default:
                return SetIp(socket, level, option, value);
        }
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written.</returns>
    public static Result<int> Get(InetDatagram socket, int level, int option, Span<byte> value) => level switch
    {
        InetLevel.IPPROTO_UDP => option switch
        {
            UDP_CORK => OptionValue.WriteInt(socket.Cork.IsSet ? 1 : 0, value),
            UDP_NO_CHECK6_TX => OptionValue.WriteInt(socket.Udp.SendsNoChecksumV6 ? 1 : 0, value),
            UDP_NO_CHECK6_RX => OptionValue.WriteInt(socket.Udp.TakesNoChecksum ? 1 : 0, value),
            UDP_SEGMENT => OptionValue.WriteInt(socket.SegmentSize, value),
            UDP_GRO => OptionValue.WriteInt(socket.TakesRuns ? 1 : 0, value),
            _ => Errno.ENOPROTOOPT,
        },
        InetLevel.IPPROTO_UDPLITE when socket.Udp.IsLite => option switch
        {
            UDPLITE_SEND_CSCOV => OptionValue.WriteInt(socket.Udp.SendCoverage, value),
            UDPLITE_RECV_CSCOV => OptionValue.WriteInt(socket.Udp.ReceiveCoverage, value),
            _ => Errno.ENOPROTOOPT,
        },
        InetLevel.IPPROTO_IPV6 when socket.IsV6 && option == IpOption.IPV6_V6ONLY => OptionValue.WriteInt(socket.Udp.IsV6Only ? 1 : 0, value),
        _ => GetIp(socket, level, option, value),
    };

    /// <summary>setsockopt(2) at the levels that all internet sockets have.</summary>
    /// <returns>ENOPROTOOPT for another level.</returns>
    public static Errno SetIp(IInetSocket socket, int level, int option, ReadOnlySpan<byte> value) => level switch
    {
        InetLevel.IPPROTO_IP when !(socket.IsV6 && socket.Type == SocketType.SOCK_RAW) => InetIpOptions.Set(socket, option, value),
        InetLevel.IPPROTO_IPV6 when socket.IsV6 => InetIpv6Options.Set(socket, option, value),
        _ => Errno.ENOPROTOOPT,
    };

    /// <summary>getsockopt(2) at the levels that all internet sockets have.</summary>
    /// <returns>EOPNOTSUPP or ENOPROTOOPT for another level.</returns>
    public static Result<int> GetIp(IInetSocket socket, int level, int option, Span<byte> value) => level switch
    {
        InetLevel.IPPROTO_IP when !(socket.IsV6 && socket.Type == SocketType.SOCK_RAW) => InetIpOptions.Get(socket, option, value),
        InetLevel.IPPROTO_IPV6 when socket.IsV6 => InetIpv6Options.Get(socket, option, value),
        _ => socket.IsV6 ? Errno.ENOPROTOOPT : Errno.EOPNOTSUPP,
    };

    private static Errno SetNoChecksum(UdpSocket socket, int option, bool lacks)
    {
        if (option == UDP_NO_CHECK6_TX)
        {
            socket.SendsNoChecksumV6 = lacks;
        }
        else
        {
            socket.TakesNoChecksum = lacks;
        }

        return Errno.None;
    }

    private static Errno SetOffload(InetDatagram socket, int option, int value)
    {
        if (option == UDP_GRO)
        {
            socket.TakesRuns = value != 0;
            return Errno.None;
        }

        if (value is < 0 or > ushort.MaxValue)
        {
            return Errno.EINVAL;
        }

        socket.SegmentSize = value;
        return Errno.None;
    }

    // The header is always covered (udplite(7)).
    private static Errno SetCoverage(InetDatagram socket, int option, int coverage)
    {
        coverage = coverage == 0 ? 0 : Math.Clamp(coverage, UdpHeader.Length, ushort.MaxValue);
        if (option == UDPLITE_SEND_CSCOV)
        {
            socket.Udp.SendCoverage = coverage;
        }
        else
        {
            socket.Udp.ReceiveCoverage = coverage;
        }

        return Errno.None;
    }
}
