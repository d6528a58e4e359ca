using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Puts IP headers before what transports send, cuts what is too large, and hands it to the interface.</summary>
public sealed class IpOutput(NetworkStack stack)
{
    private int _identification = Random(stack.Host);

    /// <summary>Sends a packet, which begins with the transport header, and releases it whatever happens.</summary>
    /// <returns>MessageTooLong if it may not be cut and is larger than the route's MTU.</returns>
    public NetError Send(Packet packet, in IpParameters parameters, in RouteDecision route)
    {
        int headerLength = parameters.Destination.IsV4 ? Ipv4Header.MinLength : Ipv6Header.Length;
        int mtu = Math.Min(route.Mtu, ushort.MaxValue); // the length field's limit
        bool isTooLarge = packet.SegmentSize == 0 && headerLength + packet.Length > mtu;
        if (isTooLarge && parameters.DontFragment)
        {
            packet.Release();
            return NetError.MessageTooLong;
        }

        if (isTooLarge)
        {
            SendFragments(packet, parameters, route, mtu);
            return NetError.None;
        }

        packet.TransportHeader = packet.Start;
        if (parameters.Destination.IsV4)
        {
            // An atomic datagram needs no identification (RFC 6864 section 4.1), but peers that compress headers like one that counts.
            WriteV4(packet, parameters, (ushort)Interlocked.Increment(ref _identification), offset: 0, more: false);
        }
        else
        {
            WriteV6(packet, parameters, parameters.Protocol);
        }

        route.Interface.Send(packet, route.NextHop);
        return NetError.None;
    }

    private static int Random(INetHost host)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        host.Fill(bytes);
        return BitConverter.ToInt32(bytes);
    }

    private static void WriteV4(Packet packet, in IpParameters parameters, ushort identification, int offset, bool more)
    {
        Ipv4Header header = new()
        {
            HeaderLength = Ipv4Header.MinLength,
            TotalLength = Ipv4Header.MinLength + packet.Length,
            TypeOfService = parameters.TypeOfService,
            Identification = identification,
            DontFragment = parameters.DontFragment,
            MoreFragments = more,
            FragmentOffset = offset,
            TimeToLive = parameters.TimeToLive,
            Protocol = parameters.Protocol,
            Source = parameters.Source,
            Destination = parameters.Destination,
        };
        header.Write(packet.Push(Ipv4Header.MinLength));
        packet.NetworkHeader = packet.Start;
    }

    private static void WriteV6(Packet packet, in IpParameters parameters, IpProtocol next)
    {
        Ipv6Header header = new()
        {
            PayloadLength = packet.Length,
            TrafficClass = parameters.TypeOfService,
            NextHeader = next,
            HopLimit = parameters.TimeToLive,
            Source = parameters.Source,
            Destination = parameters.Destination,
        };
        header.Write(packet.Push(Ipv6Header.Length));
        packet.NetworkHeader = packet.Start;
    }

    private void SendFragments(Packet packet, in IpParameters parameters, in RouteDecision route, int mtu)
    {
        bool isV4 = parameters.Destination.IsV4;
        int headers = isV4 ? Ipv4Header.MinLength : Ipv6Header.Length + Ipv6Fragment.Length;
        int room = (mtu - headers) & ~7;
        uint identification = (uint)Interlocked.Increment(ref _identification);
        for (int offset = 0; offset < packet.Length; offset += room)
        {
            int count = Math.Min(room, packet.Length - offset);
            bool more = offset + count < packet.Length;
            Packet fragment = stack.Pool.Rent(count);
            _ = packet.CopyTo(offset, fragment.Append(count));
            fragment.Mark = packet.Mark;
            fragment.TransportHeader = fragment.Start;
            if (isV4)
            {
                WriteV4(fragment, parameters, (ushort)identification, offset, more);
            }
            else
            {
                new Ipv6Fragment(parameters.Protocol, offset, more, identification).Write(fragment.Push(Ipv6Fragment.Length));
                WriteV6(fragment, parameters, IpProtocol.Fragment);
            }

            route.Interface.Send(fragment, route.NextHop);
        }

        packet.Release();
    }
}
