using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;

namespace Moat.Netstack.Sockets;

/// <summary>Says what a socket takes of what arrives for it (SO_ATTACH_FILTER). Any thread.</summary>
public interface ISocketFilter
{
    /// <summary>Looks at a packet, which begins with what the socket's protocol shows to filters, and stays as it is.</summary>
    /// <param name="packet">The packet; its network header is where <see cref="Packet.NetworkHeader"/> says.</param>
    /// <param name="isV6">Whether it is one of IPv6.</param>
    /// <param name="owner">Where it came in.</param>
    /// <returns>How many of its bytes the socket gets at most; 0 to drop it.</returns>
    uint Run(Packet packet, bool isV6, NetworkInterface owner);
}
