using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;

namespace Moat.Netstack.PacketSockets;

/// <summary>Who sees every packet of an interface (packet(7)).</summary>
public interface IPacketSocket
{
    /// <summary>A packet that came in or goes out; it begins with the link-layer header, if the link has one, and stays the caller's: share it or copy.</summary>
    void Tap(Packet packet, NetworkInterface owner, bool isOutgoing);
}
