using System.Buffers.Binary;
using Moat.Netstack.Ip;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Puts a TCP header before data and sends it.</summary>
internal static class TcpOutput
{
    /// <summary>The payload of a segment without options on a path: no IP packet is longer than its length field can say, whatever the link carries.</summary>
    public static int MssOf(int mtu, IpAddress remote)
    {
        int headers = TcpHeader.MinLength + (remote.IsV4 ? Ipv4Header.MinLength : Ipv6Header.Length);
        return Math.Min(Math.Min(mtu, ushort.MaxValue) - headers, ushort.MaxValue);
    }

    /// <summary>Sends a segment of a flow and releases the packet whatever happens.</summary>
    /// <param name="layer">The protocol.</param>
    /// <param name="packet">The data.</param>
    /// <param name="key">The two ends.</param>
    /// <param name="route">The way, decided anew if routes have changed.</param>
    /// <param name="settings">The socket's options.</param>
    /// <param name="options">The segment's options.</param>
    /// <param name="sequence">SEG.SEQ.</param>
    /// <param name="acknowledgment">SEG.ACK.</param>
    /// <param name="flags">The control bits.</param>
    /// <param name="window">The window field as it goes into the header.</param>
    /// <param name="urgentPointer">The urgent pointer, or 0.</param>
    /// <returns>Whether there was a route.</returns>
    public static bool Send(
        TcpLayer layer,
        Packet packet,
        in FlowKey key,
        ref RouteDecision route,
        TcpOptionSet settings,
        in TcpOptions options,
        SequenceNumber sequence,
        SequenceNumber acknowledgment,
        TcpFlags flags,
        int window,
        ushort urgentPointer = 0)
    {
        NetworkStack stack = layer.Stack;
        if (route.Generation != stack.Routes.Generation)
        {
            if (stack.Decide(key.Remote.Address, key.Local.Address, settings.Ip.BoundInterface, out RouteDecision decided) != NetError.None)
            {
                packet.Release();
                return false;
            }

            route = decided;
        }

        int optionLength = options.Length;
        Span<byte> bytes = packet.Push(TcpHeader.MinLength + optionLength);
        TcpHeader header = new()
        {
            SourcePort = key.Local.Port,
            DestinationPort = key.Remote.Port,
            Sequence = sequence,
            Acknowledgment = acknowledgment,
            HeaderLength = TcpHeader.MinLength + optionLength,
            Flags = urgentPointer != 0 ? flags | TcpFlags.URG : flags,
            UrgentPointer = urgentPointer,
            Window = (ushort)Math.Clamp(window, 0, ushort.MaxValue),
        };
        header.Write(bytes);
        options.Write(bytes[TcpHeader.MinLength..]);
        Seal(packet, key, route.Interface.Link.Features);
        packet.Mark = settings.Ip.Mark;
        packet.Owner = settings.Ip.Owner;
        layer.CountSent();
        IpParameters parameters = new()
        {
            Source = key.Local.Address,
            Destination = key.Remote.Address,
            Protocol = IpProtocol.Tcp,
            TimeToLive = settings.Ip.HopsTo(key.Remote.Address, route.Interface.HopLimit),
            TypeOfService = settings.Ip.ClassTo(key.Remote.Address),
            DontFragment = true,
        };
        _ = stack.Output.Send(packet, parameters, route);
        return true;
    }

    // The checksum, or its beginning for a link that completes it.
    private static void Seal(Packet packet, in FlowKey key, LinkFeatures features)
    {
        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(key.Local.Address, key.Remote.Address, IpProtocol.Tcp, packet.Length);
        Span<byte> field = packet.Linear[TcpHeader.ChecksumOffset..];
        if ((features & LinkFeatures.TransmitChecksum) != 0)
        {
            packet.Checksum = ChecksumState.Partial;
            BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)~checksum.Value);
            return;
        }

        packet.AddTo(ref checksum, 0);
        BinaryPrimitives.WriteUInt16BigEndian(field, checksum.Value);
    }
}
