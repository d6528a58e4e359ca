using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>What IP_PKTINFO and IPV6_PKTINFO want of one datagram.</summary>
/// <param name="Source">The source address, or null for the route's.</param>
/// <param name="InterfaceIndex">The interface, or 0.</param>
public readonly record struct IpPacketInfo(IpAddress? Source, int InterfaceIndex);
