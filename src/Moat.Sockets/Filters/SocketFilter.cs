using Moat.Kernel.Bpf;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Filters;

/// <summary>A filter that a program has attached to a socket (SO_ATTACH_FILTER, socket(7)). Any thread.</summary>
public sealed class SocketFilter(BpfProgram program) : ISocketFilter
{
    /// <summary>The program, for SO_GET_FILTER.</summary>
    public BpfProgram Program => program;

    /// <inheritdoc/>
    public uint Run(Packet packet, bool isV6, NetworkInterface owner)
    {
        FilteredPacket seen = new(packet, default, 0)
        {
            NetworkOffset = packet.NetworkHeader - packet.Start,
            Protocol = (ushort)(isV6 ? EtherType.Ipv6 : EtherType.Ipv4),
            Owner = owner,
        };
        return program.Run(seen);
    }

    /// <summary>Looks at a message that is bytes alone.</summary>
    public uint Run(ReadOnlySpan<byte> message) => program.Run(new FilteredMessage(message));

    /// <summary>Looks at a frame.</summary>
    internal uint Run(in FilteredPacket frame) => program.Run(frame);
}
