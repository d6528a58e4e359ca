using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netfilter;

/// <summary>SO_ORIGINAL_DST: where a connection was going before rules redirected it, for transparent proxies (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h).</summary>
internal static class OriginalDestination
{
    private const int Option = 80; // SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST

    /// <summary>Whether an option is this one.</summary>
    public static bool Is(int level, int option, bool isV6) => option == Option && (level == InetLevel.IPPROTO_IP || (level == InetLevel.IPPROTO_IPV6 && isV6));

    /// <summary>getsockopt(2): a <c>sockaddr</c> of the level's family.</summary>
    /// <returns>How many bytes were written; EINVAL if there is no room for it, ENOENT if no connection between the socket's ends is tracked.</returns>
    public static Result<int> Get(NetworkStack stack, TcpSocket socket, int level, Span<byte> value)
    {
        const int LengthV4 = 16;
        const int LengthV6 = 28;
        bool isV6 = level == InetLevel.IPPROTO_IPV6;
        if (value.Length < (isV6 ? LengthV6 : LengthV4))
        {
            return Errno.EINVAL;
        }

        if (socket.Remote is not { } remote || remote.Address.IsV4 == isV6)
        {
            return Errno.ENOENT;
        }

        IpEndpoint local = socket.Local;
        if (stack.Filter.Flows.Find(new FlowTuple(local.Address, remote.Address, local.Port, remote.Port, IpProtocol.Tcp)) is not { } flow)
        {
            return Errno.ENOENT;
        }

        return OptionValue.WriteBytes(InetAddress.Format(new IpEndpoint(flow.Original.Destination, flow.Original.DestinationPort), isV6), value);
    }
}
