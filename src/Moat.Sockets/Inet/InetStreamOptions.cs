using System.Text;
using Moat.Linux;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Inet;

/// <summary>Options of a TCP socket at the levels of TCP, IP and IPv6 (tcp(7), ip(7), ipv6(7)).</summary>
internal static class InetStreamOptions
{
    private const long SecondNs = 1_000_000_000;
    private const int MaxCongestionName = 16;

    /// <summary>setsockopt(2).</summary>
    public static Errno Set(InetStream socket, int level, int option, ReadOnlySpan<byte> value)
    {
        switch (level)
        {
            case InetLevel.IPPROTO_TCP:
                return option == TcpOption.TCP_CONGESTION ? SetCongestion(socket, value) : OptionValue.ReadInt(value).TryGet(out int number, out Errno errno) ? SetTcp(socket, option, number) : errno;
            case InetLevel.IPPROTO_IPV6 when socket.IsV6 && option == IpOption.IPV6_V6ONLY:
                if (!OptionValue.ReadInt(value).TryGet(out int only, out errno) || socket.Tcp.Local.Port != 0)
                {
                    return errno != Errno.None ? errno : Errno.EINVAL; // it is bound
                }

                socket.Tcp.IsV6Only = only != 0;
                return Errno.None;
            default:
                return InetDatagramOptions.SetIp(socket, level, option, value);
        }
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written.</returns>
    public static Result<int> Get(InetStream socket, int level, int option, Span<byte> value)
    {
        TcpOptionSet options = socket.Tcp.Options;
        if (level == InetLevel.IPPROTO_TCP && option == TcpOption.TCP_INFO)
        {
            return InetTcpInfo.Write(socket.Tcp, value);
        }

        if (level == InetLevel.IPPROTO_TCP && option == TcpOption.TCP_CONGESTION)
        {
            Span<byte> name = stackalloc byte[MaxCongestionName];
            name.Clear();
            _ = Encoding.ASCII.GetBytes(options.CongestionControl, name);
            return OptionValue.WriteBytes(name, value);
        }

        int? number = (level, option) switch
        {
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_NODELAY) => options.NoDelay ? 1 : 0,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_CORK) => options.Cork ? 1 : 0,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_MAXSEG) => socket.Tcp.SegmentSize,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_KEEPIDLE) => (int)(options.KeepAliveIdleNs / SecondNs),
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_KEEPINTVL) => (int)(options.KeepAliveIntervalNs / SecondNs),
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_KEEPCNT) => options.KeepAliveCount,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_SYNCNT) => options.SynRetries,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_LINGER2) => (int)(options.FinTimeoutNs / SecondNs),
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_DEFER_ACCEPT) => (int)(options.DeferAcceptNs / SecondNs),
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_QUICKACK) => socket.Tcp.IsQuickAck ? 1 : 0,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_WINDOW_CLAMP) => options.WindowClamp,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_NOTSENT_LOWAT) => (int)options.NotSentLowWater,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_INQ) => socket.TellsQueued ? 1 : 0,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_IS_MPTCP) => 0,
            (InetLevel.IPPROTO_TCP, TcpOption.TCP_USER_TIMEOUT) => (int)(options.UserTimeoutNs / 1_000_000),
            (InetLevel.IPPROTO_IPV6, IpOption.IPV6_V6ONLY) when socket.Domain == AddressFamily.AF_INET6 => socket.Tcp.IsV6Only ? 1 : 0,
            _ => null,
        };
        return number is { } known ? OptionValue.WriteInt(known, value) : level == InetLevel.IPPROTO_TCP ? Errno.ENOPROTOOPT : InetDatagramOptions.GetIp(socket, level, option, value);
    }

    private static Errno SetTcp(InetStream socket, int option, int value)
    {
        const int MaxSeconds = 32767;
        const int MaxCount = 127;
        const int MaxMss = 32767;
        const int MaxFinSeconds = 120; // TCP_FIN_TIMEOUT_MAX
        TcpOptionSet options = socket.Tcp.Options;
        switch (option)
        {
            case TcpOption.TCP_NODELAY:
                options.NoDelay = value != 0;
                break;
            case TcpOption.TCP_CORK:
                options.Cork = value != 0;
                break;
            case TcpOption.TCP_QUICKACK:
                socket.Tcp.IsQuickAck = value != 0;
                return Errno.None;
            case TcpOption.TCP_MAXSEG when value is 0 or (>= TcpLimits.MinMss and <= MaxMss):
                options.MaxSegment = value;
                return Errno.None;
            case TcpOption.TCP_KEEPIDLE when value is >= 1 and <= MaxSeconds:
                options.KeepAliveIdleNs = value * SecondNs;
                break;
            case TcpOption.TCP_KEEPINTVL when value is >= 1 and <= MaxSeconds:
                options.KeepAliveIntervalNs = value * SecondNs;
                return Errno.None;
            case TcpOption.TCP_KEEPCNT when value is >= 1 and <= MaxCount:
                options.KeepAliveCount = value;
                return Errno.None;
            case TcpOption.TCP_SYNCNT when value is >= 1 and <= MaxCount:
                options.SynRetries = value;
                return Errno.None;
            case TcpOption.TCP_LINGER2:
                options.FinTimeoutNs = value == 0 ? TcpLimits.TimeWaitNs : Math.Clamp(value, -1, MaxFinSeconds) * SecondNs;
                return Errno.None;
            case TcpOption.TCP_DEFER_ACCEPT:
                options.DeferAcceptNs = ToHandshakeTimeouts(value) * SecondNs;
                return Errno.None;
            case TcpOption.TCP_WINDOW_CLAMP:
                return SetWindowClamp(socket, value);
            case TcpOption.TCP_NOTSENT_LOWAT:
                options.NotSentLowWater = (uint)value;
                break;
            case TcpOption.TCP_INQ when value is 0 or 1:
                socket.TellsQueued = value == 1;
                return Errno.None;
            case TcpOption.TCP_USER_TIMEOUT when value >= 0:
                options.UserTimeoutNs = value * 1_000_000L;
                return Errno.None;
            case TcpOption.TCP_MAXSEG or TcpOption.TCP_KEEPIDLE or TcpOption.TCP_KEEPINTVL or TcpOption.TCP_KEEPCNT or TcpOption.TCP_SYNCNT or TcpOption.TCP_INQ or TcpOption.TCP_USER_TIMEOUT:
                return Errno.EINVAL;
            default:
                return Errno.ENOPROTOOPT;
        }

        socket.Tcp.ApplyOptions();
        return Errno.None;
    }

    // Linux counts the times that a SYN-ACK would be sent again in so many seconds, and tells the seconds of those.
    private static long ToHandshakeTimeouts(int seconds)
    {
        const int MaxTimeout = 120;
        const int MaxCount = 255;
        long period = seconds > 0 ? 1 : 0;
        int timeout = 1;
        for (int count = 1; period < seconds && count < MaxCount; count++)
        {
            timeout = Math.Min(2 * timeout, MaxTimeout);
            period += timeout;
        }

        return period;
    }

    private static Errno SetWindowClamp(InetStream socket, int value)
    {
        const int MinClamp = 1152; // half of what SO_RCVBUF is at least
        if (value == 0 && socket.Tcp.State != TcpState.Closed)
        {
            return Errno.EINVAL;
        }

        socket.Tcp.Options.WindowClamp = value == 0 ? 0 : Math.Max(value, MinClamp);
        return Errno.None;
    }

    private static Errno SetCongestion(InetStream socket, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return Errno.EINVAL;
        }

        ReadOnlySpan<byte> name = value[..Math.Min(value.Length, MaxCongestionName - 1)];
        int end = name.IndexOf((byte)0);
        string wanted = Encoding.ASCII.GetString(end >= 0 ? name[..end] : name);
        if (!TcpOptionSet.CongestionControls.Contains(wanted))
        {
            return Errno.ENOENT;
        }

        socket.Tcp.SetCongestionControl(wanted);
        return Errno.None;
    }
}
