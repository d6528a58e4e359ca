using System.Buffers.Binary;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Udp;

/// <summary>The checksum of UDP (RFC 768) and UDP-Lite (RFC 3828).</summary>
internal static class UdpChecksum
{
    /// <summary>Writes the checksum of a datagram, which the packet begins with; on loopback nobody would look at it.</summary>
    /// <param name="packet">With its header.</param>
    /// <param name="parameters">The addresses.</param>
    /// <param name="route">Where it goes.</param>
    /// <param name="coverage">How many bytes are covered (UDP-Lite).</param>
    public static void Seal(Packet packet, in IpParameters parameters, in RouteDecision route, int coverage)
    {
        if ((route.Interface.Link.Features & Link.LinkFeatures.Loopback) != 0)
        {
            packet.Checksum = ChecksumState.Verified;
            return;
        }

        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(parameters.Source, parameters.Destination, parameters.Protocol, packet.Length);
        if (coverage < packet.Length)
        {
            checksum.Add(packet.Linear[..coverage]);
        }
        else
        {
            packet.AddTo(ref checksum, 0);
        }

        ushort value = checksum.Value;
        BinaryPrimitives.WriteUInt16BigEndian(packet.Linear[UdpHeader.ChecksumOffset..], value == 0 ? ushort.MaxValue : value);
    }
}
