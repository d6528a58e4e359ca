using Moat.Netstack.Filter;
using Moat.Netstack.Link;
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

        if (stack.Filter.Hooks is { } hooks)
        {
            return SendFiltered(hooks, packet, parameters, route);
        }

        if (isTooLarge)
        {
            SendFragments(packet, parameters, route, mtu);
            return NetError.None;
        }

        WriteHeader(packet, parameters);
        route.Interface.Send(packet, route.NextHop);
        return NetError.None;
    }

    /// <summary>Sends a whole packet that begins with its IP header, in fragments if need be, and releases it.</summary>
    internal void Emit(ref FilterPacket view, in RouteDecision route)
    {
        Packet packet = view.Packet;
        int mtu = Math.Min(route.Mtu, ushort.MaxValue);
        if (packet.Checksum == ChecksumState.Partial && (route.Interface.Link.Features & LinkFeatures.TransmitChecksum) == 0)
        {
            TransportChecksum.Complete(packet, view.TransportOffset, view.Protocol);
        }

        if (packet.SegmentSize != 0 || packet.Length <= mtu)
        {
            route.Interface.Send(packet, route.NextHop);
            return;
        }

        IpInfo info = view.ToInfo(route.Kind);
        packet.Pull(view.TransportOffset);
        IpParameters parameters = new()
        {
            Source = info.Source,
            Destination = info.Destination,
            Protocol = info.Protocol,
            TimeToLive = info.TimeToLive,
            TypeOfService = info.TypeOfService,
        };
        SendFragments(packet, parameters, route, mtu);
    }

    /// <summary>Sends a packet that begins with an IP header of the program's own, and releases it.</summary>
    /// <returns>MessageTooLong, NotPermitted, Invalid, or why a rule leads it nowhere.</returns>
    internal NetError SendWhole(Packet packet, in RouteDecision route)
    {
        ReadOnlySpan<byte> header = packet.Linear;
        bool isV4 = header[0] >> 4 == 4;
        int length = isV4 ? (header[0] & 0xf) * 4 : Ipv6Header.Length;
        if (header.Length < length || header[0] >> 4 is not (4 or 6) || packet.Length > Math.Min(route.Mtu, ushort.MaxValue))
        {
            NetError error = packet.Length > route.Mtu ? NetError.MessageTooLong : NetError.Invalid;
            packet.Release();
            return error;
        }

        packet.NetworkHeader = packet.Start;
        packet.TransportHeader = packet.Start + length;
        if (stack.Filter.Hooks is { } hooks)
        {
            FilterPacket view = new()
            {
                Stack = stack,
                Packet = packet,
                Source = IpAddress.FromBytes(isV4 ? header[12..16] : header[8..24]),
                Destination = IpAddress.FromBytes(isV4 ? header[16..20] : header[24..40]),
                Protocol = (IpProtocol)header[isV4 ? 9 : 6],
                TransportOffset = length,
                Output = route.Interface,
            };
            return PassHooks(hooks, ref view, route, mayFragment: false);
        }

        route.Interface.Send(packet, route.NextHop);
        return NetError.None;
    }

    // The whole packet passes the hooks; what they have changed may lead it elsewhere.
    private NetError SendFiltered(HookTable hooks, Packet packet, in IpParameters parameters, in RouteDecision route)
    {
        WriteHeader(packet, parameters);
        FilterPacket view = new()
        {
            Stack = stack,
            Packet = packet,
            Source = parameters.Source,
            Destination = parameters.Destination,
            Protocol = parameters.Protocol,
            TransportOffset = packet.TransportHeader - packet.Start,
            Output = route.Interface,
        };
        return PassHooks(hooks, ref view, route, !parameters.DontFragment);
    }

    private NetError PassHooks(HookTable hooks, ref FilterPacket view, in RouteDecision route, bool mayFragment)
    {
        Packet packet = view.Packet;
        (IpAddress source, IpAddress destination) = (view.Source, view.Destination);
        RouteDecision way = route;
        if (!hooks.Pass(FilterHook.Output, ref view))
        {
            packet.Release();
            return NetError.NotPermitted;
        }

        if (view.Destination != destination || view.Source != source)
        {
            NetError error = stack.Decide(view.Destination, view.Source, 0, out way);
            if (error != NetError.None)
            {
                packet.Release();
                return error;
            }

            view.Output = way.Interface;
        }

        if (!hooks.Pass(FilterHook.Postrouting, ref view))
        {
            packet.Release();
            return NetError.NotPermitted;
        }

        if (!mayFragment && packet.SegmentSize == 0 && packet.Length > Math.Min(way.Mtu, ushort.MaxValue))
        {
            packet.Release();
            return NetError.MessageTooLong;
        }

        Emit(ref view, way);
        return NetError.None;
    }

    private void WriteHeader(Packet packet, in IpParameters parameters)
    {
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
    }

    private static int Random(INetHost host)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        host.Fill(bytes);
        return BitConverter.ToInt32(bytes);
    }

    internal static void WriteV4(Packet packet, in IpParameters parameters, ushort identification, int offset, bool more)
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

    internal static void WriteV6(Packet packet, in IpParameters parameters, IpProtocol next)
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
