using System.Runtime.InteropServices;
using Moat.Host.Sockets;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Sentry.Network;

/// <summary>The options of a socket of the host that a guest may set and read: those whose values are numbers or structures without addresses.</summary>
internal static class PassthroughOptions
{
    private const int SOL_SOCKET = 1;
    private const int IPPROTO_IP = 0;
    private const int IPPROTO_TCP = 6;
    private const int IPPROTO_UDP = 17;
    private const int IPPROTO_IPV6 = 41;
    private const int MaxValue = 256;

    /// <summary>setsockopt(2) at a level of the family.</summary>
    public static Errno Set(int fd, int level, int option, ReadOnlySpan<byte> value) =>
        !IsKnown(level, option) ? Errno.ENOPROTOOPT : value.Length > MaxValue ? Errno.EINVAL : HostSocket.SetOption(fd, level, option, value);

    /// <summary>getsockopt(2) at a level of the family.</summary>
    public static Result<int> Get(int fd, int level, int option, Span<byte> value) => !IsKnown(level, option) ? Errno.ENOPROTOOPT : HostSocket.GetOption(fd, level, option, value);

    /// <summary>Carries the options of SOL_SOCKET over that only hold a value.</summary>
    public static void Apply(int fd, SocketOptions options)
    {
        const int SO_REUSEADDR = 2;
        const int SO_BROADCAST = 6;
        const int SO_SNDBUF = 7;
        const int SO_RCVBUF = 8;
        const int SO_KEEPALIVE = 9;
        const int SO_NO_CHECK = 11;
        const int SO_LINGER = 13;
        const int SO_REUSEPORT = 15;
        const int SO_TIMESTAMP = 29;
        const int SO_TIMESTAMPNS = 35;
        Set(fd, SO_REUSEADDR, options.ReuseAddress ? 1 : 0);
        Set(fd, SO_REUSEPORT, options.ReusePort ? 1 : 0);
        Set(fd, SO_BROADCAST, options.Broadcast ? 1 : 0);
        Set(fd, SO_NO_CHECK, options.NoChecksum ? 1 : 0);
        Set(fd, SO_KEEPALIVE, options.KeepAlive ? 1 : 0);
        Set(fd, options.Timestamps == SocketTimestamps.Nanoseconds ? SO_TIMESTAMPNS : SO_TIMESTAMP, options.Timestamps != SocketTimestamps.None ? 1 : 0); // of the two the last counts, and off is off for both
        if (options.HasSendBuffer)
        {
            Set(fd, SO_SNDBUF, options.SendBuffer / 2); // the host doubles it again
        }

        if (options.HasReceiveBuffer)
        {
            Set(fd, SO_RCVBUF, options.ReceiveBuffer / 2);
        }

        (int, int) linger = options.Linger;
        _ = HostSocket.SetOption(fd, SOL_SOCKET, SO_LINGER, MemoryMarshal.AsBytes(new ReadOnlySpan<(int, int)>(in linger)));
    }

    /// <summary>SO_ERROR.</summary>
    public static Errno TakeError(int fd)
    {
        const int SO_ERROR = 4;
        int error = 0;
        Errno errno = HostSocket.GetOption(fd, SOL_SOCKET, SO_ERROR, MemoryMarshal.AsBytes(new Span<int>(ref error))).TryGet(out _, out Errno failed) ? (Errno)error : failed;
        return errno;
    }

    private static void Set(int fd, int option, int value) => _ = HostSocket.SetOption(fd, SOL_SOCKET, option, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value))); // a value that the host does not want stays the guest's alone

    private static bool IsKnown(int level, int option) => level switch
    {
        // TOS, TTL, packet info, path MTU, errors, received TTL and TOS, MTU, FREEBIND, BIND_ADDRESS_NO_PORT, groups.
        IPPROTO_IP => option is 1 or 2 or 8 or 10 or 11 or 12 or 13 or 14 or 15 or 24 or (>= 32 and <= 36) or 49,

        // NODELAY to CONGESTION, USER_TIMEOUT, NOTSENT_LOWAT. Not those that map memory.
        IPPROTO_TCP => option is (>= 1 and <= 13) or 18 or 25,

        // CORK, NO_CHECK6_TX, NO_CHECK6_RX, SEGMENT, GRO.
        IPPROTO_UDP => option is 1 or (>= 101 and <= 104),

        // Hop limit, groups, path MTU, errors, V6ONLY, packet info, received hop limit and class, class.
        IPPROTO_IPV6 => option is (>= 16 and <= 21) or 23 or 24 or 25 or 26 or 49 or 51 or 66 or 67,
        _ => false,
    };
}
