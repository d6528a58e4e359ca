using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Tracking;

/// <summary>What packets of one connection share in one direction. For ICMP the source port is the identifier and the destination port holds type and code.</summary>
/// <param name="Source">From whom.</param>
/// <param name="Destination">To whom.</param>
/// <param name="SourcePort">From which port.</param>
/// <param name="DestinationPort">To which port.</param>
/// <param name="Protocol">Of what.</param>
public readonly record struct FlowTuple(IpAddress Source, IpAddress Destination, ushort SourcePort, ushort DestinationPort, IpProtocol Protocol)
{
    /// <summary>Whether it is of ICMP, of either version.</summary>
    public bool IsIcmp => Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;

    /// <summary>What an answer looks like. An ICMP type that has no answer stands for itself.</summary>
    public FlowTuple Inverse => IsIcmp
        ? this with { Source = Destination, Destination = Source, DestinationPort = InverseType(Protocol, DestinationPort) }
        : new FlowTuple(Destination, Source, DestinationPort, SourcePort, Protocol);

    /// <summary>Reads the tuple of a packet.</summary>
    /// <param name="source">Its source.</param>
    /// <param name="destination">Its destination.</param>
    /// <param name="protocol">What it carries.</param>
    /// <param name="transport">The first eight bytes of that, or fewer.</param>
    /// <param name="tuple">The tuple.</param>
    /// <returns>False if there are too few bytes.</returns>
    public static bool TryRead(IpAddress source, IpAddress destination, IpProtocol protocol, ReadOnlySpan<byte> transport, out FlowTuple tuple)
    {
        const int Identifier = 4;
        tuple = new FlowTuple(source, destination, 0, 0, protocol);
        if (tuple.IsIcmp)
        {
            if (transport.Length < IcmpHeader.Length)
            {
                return false;
            }

            tuple = tuple with { SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport[Identifier..]), DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport) };
            return true;
        }

        if (!FilterPacket.HasPorts(protocol))
        {
            return true;
        }

        if (transport.Length < 4)
        {
            return false;
        }

        tuple = tuple with { SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport), DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]) };
        return true;
    }

    private static ushort InverseType(IpProtocol protocol, ushort typeAndCode)
    {
        byte type = (byte)(typeAndCode >> 8);
        int inverse = protocol == IpProtocol.IcmpV6
            ? type switch { 128 => 129, 129 => 128, 139 => 140, 140 => 139, _ => type }
            : type switch { 0 => 8, 8 => 0, 13 => 14, 14 => 13, 15 => 16, 16 => 15, 17 => 18, 18 => 17, _ => type };
        return (ushort)(inverse << 8 | (typeAndCode & 0xff));
    }
}
