using Moat.Netstack.Ip;
using Moat.Netstack.Packets;

namespace Moat.Netstack.Sockets;

/// <summary>Applies the filter of a socket to what arrives.</summary>
internal static class SocketFiltering
{
    /// <summary>Filters a packet, and cuts off what the filter does not want of it.</summary>
    /// <param name="options">The socket's options.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="from">The position that filters see it from.</param>
    /// <param name="minimum">Bytes from there on that stay whatever the filter says: a header.</param>
    /// <param name="info">The IP header.</param>
    /// <returns>False if the socket does not want it.</returns>
    public static bool Passes(IpSocketOptions options, Packet packet, int from, int minimum, in IpInfo info)
    {
        if (options.Filter is not { } filter)
        {
            return true;
        }

        int start = packet.Start;
        packet.MoveTo(from);
        uint wanted = filter.Run(packet, !info.Source.IsV4, info.Interface);
        if (wanted != 0 && wanted < packet.Length)
        {
            packet.Truncate(Math.Min(Math.Max((int)wanted, minimum), packet.Length));
        }

        packet.MoveTo(start);
        return wanted != 0;
    }
}
