using System.Buffers.Binary;
using Moat.Netstack.Packets;

namespace Moat.Netstack.Link;

/// <summary>A number that is the same for all packets of one flow in one direction: addresses and, of an unfragmented TCP or UDP packet, ports.</summary>
public static class FlowHash
{
    /// <summary>The hash of a packet whose <see cref="Packet.NetworkHeader"/> and <see cref="Packet.TransportHeader"/> are set.</summary>
    public static uint Of(Packet packet)
    {
        ReadOnlySpan<byte> network = packet.LinearFrom(packet.NetworkHeader);
        ReadOnlySpan<byte> transport = packet.LinearFrom(packet.TransportHeader);
        uint hash = 0;
        if (network.Length >= 40 && network[0] >> 4 == 6)
        {
            for (int at = 8; at < 40; at += sizeof(uint))
            {
                hash = Mix(hash, BinaryPrimitives.ReadUInt32LittleEndian(network[at..]));
            }
        }
        else if (network.Length >= 20)
        {
            hash = Mix(Mix(0, BinaryPrimitives.ReadUInt32LittleEndian(network[12..])), BinaryPrimitives.ReadUInt32LittleEndian(network[16..]));
            if ((BinaryPrimitives.ReadUInt16BigEndian(network[6..]) & 0x3fff) != 0)
            {
                return hash;
            }
        }

        return transport.Length >= sizeof(uint) ? Mix(hash, BinaryPrimitives.ReadUInt32LittleEndian(transport)) : hash;
    }

    private static uint Mix(uint hash, uint word)
    {
        hash = (hash ^ word) * 0x9e37_79b1;
        return hash ^ hash >> 15;
    }
}
