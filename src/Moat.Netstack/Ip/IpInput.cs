using Moat.Netstack.Filter;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Takes IP packets from interfaces: checks them, puts fragments together, and gives those that are for this machine to their transport.</summary>
internal sealed class IpInput(NetworkStack stack)
{
    private readonly Reassembly _reassembly = new(stack);
    private readonly IpForward _forward = new(stack);

    /// <summary>How many packets of a version are unfinished, and the memory of their fragments.</summary>
    public (int Count, long Bytes) CountUnfinished(bool isV6) => _reassembly.CountOf(isV6);

    /// <summary>A packet that begins with an IP header. Its version is read from the packet, as the link's type says no more.</summary>
    public void Receive(Packet packet, NetworkInterface from)
    {
        bool isTaken = packet.LinearLength > 0 && (packet.Linear[0] >> 4) switch
        {
            4 => ReceiveV4(packet, from),
            6 => ReceiveV6(packet, from),
            _ => false,
        };
        if (!isTaken)
        {
            from.Statistics.CountReceiveError();
            packet.Release();
        }
    }

    // False if the packet is malformed and still the caller's.
    private bool ReceiveV4(Packet packet, NetworkInterface from)
    {
        if (!Ipv4Header.TryParse(packet.Linear, out Ipv4Header header) || header.TotalLength > packet.Length || header.Source.IsMulticast || header.Source == IpAddress.BroadcastV4)
        {
            return false;
        }

        packet.Truncate(header.TotalLength); // an Ethernet frame may be padded
        packet.NetworkHeader = packet.Start;
        if (!from.IsLoopback && (header.Source.IsLoopback || header.Destination.IsLoopback))
        {
            return false; // a martian: RFC 1122 section 3.2.1.3
        }

        RouteKind kind = KindOf(header.Destination, from);
        if (kind == RouteKind.Blackhole)
        {
            from.Statistics.CountReceiveDropped();
            packet.Release();
            return true;
        }

        if (kind == RouteKind.Unicast && stack.Filter.Hooks is null)
        {
            _forward.Send(packet, from);
            return true;
        }

        packet.Pull(header.HeaderLength);
        packet.TransportHeader = packet.Start;
        IpInfo info = new()
        {
            Source = header.Source,
            Destination = header.Destination,
            Protocol = header.Protocol,
            TimeToLive = header.TimeToLive,
            TypeOfService = header.TypeOfService,
            Interface = from,
            Kind = kind,
        };
        if (header.IsFragment)
        {
            FragmentKey key = new(header.Source, header.Destination, header.Identification, header.Protocol, from.Index);
            if (_reassembly.Add(key, packet, header.FragmentOffset, header.MoreFragments) is not { } whole)
            {
                return true;
            }

            packet = whole;
            RestoreHeader(packet, info);
        }

        Deliver(packet, info);
        return true;
    }

    private bool ReceiveV6(Packet packet, NetworkInterface from)
    {
        if (!Ipv6Header.TryParse(packet.Linear, out Ipv6Header header) || header.Source.IsMulticast || Ipv6Header.Length + header.PayloadLength > packet.Length)
        {
            return false;
        }

        packet.Truncate(Ipv6Header.Length + header.PayloadLength);
        packet.NetworkHeader = packet.Start;
        if (!from.IsLoopback && (header.Source.IsLoopback || header.Destination.IsLoopback))
        {
            return false;
        }

        RouteKind kind = KindOf(header.Destination, from);
        if (kind == RouteKind.Blackhole)
        {
            from.Statistics.CountReceiveDropped();
            packet.Release();
            return true;
        }

        if (kind == RouteKind.Unicast && stack.Filter.Hooks is null)
        {
            _forward.Send(packet, from);
            return true;
        }

        packet.Pull(Ipv6Header.Length);
        return ReceiveV6Payload(packet, header, from, kind);
    }

    private bool ReceiveV6Payload(Packet packet, in Ipv6Header header, NetworkInterface from, RouteKind kind)
    {
        IpProtocol next = header.NextHeader;
        bool isFirst = true;
        while (true)
        {
            switch (Ipv6Extensions.Step(packet.Linear, ref next, isFirst, out int length, out int pointer))
            {
                case Ipv6ExtensionStep.Transport:
                    packet.TransportHeader = packet.Start;
                    Deliver(packet, InfoOf(header, next, from, kind));
                    return true;
                case Ipv6ExtensionStep.Passed:
                    packet.Pull(length);
                    break;
                case Ipv6ExtensionStep.Fragment:
                    if (!Ipv6Fragment.TryParse(packet.Linear, out Ipv6Fragment fragment))
                    {
                        return false;
                    }

                    packet.Pull(Ipv6Fragment.Length);
                    if (fragment.Offset == 0 && !fragment.MoreFragments)
                    {
                        next = fragment.NextHeader; // an atomic fragment: RFC 6946
                        break;
                    }

                    FragmentKey key = new(header.Source, header.Destination, fragment.Identification, fragment.NextHeader, from.Index);
                    if (_reassembly.Add(key, packet, fragment.Offset, fragment.MoreFragments) is not { } whole)
                    {
                        return true;
                    }

                    packet = whole;
                    next = fragment.NextHeader;
                    RestoreHeader(packet, InfoOf(header, next, from, kind));
                    break;
                case Ipv6ExtensionStep.Discard:
                    from.Statistics.CountReceiveDropped();
                    packet.Release();
                    return true;
                case Ipv6ExtensionStep.Report:
                    stack.Errors.SendParameterProblem(packet, InfoOf(header, next, from, kind), pointer);
                    return true;
                default:
                    return false;
            }

            isFirst = false;
        }
    }

    private static IpInfo InfoOf(in Ipv6Header header, IpProtocol protocol, NetworkInterface from, RouteKind kind) => new()
    {
        Source = header.Source,
        Destination = header.Destination,
        Protocol = protocol,
        TimeToLive = header.HopLimit,
        TypeOfService = header.TrafficClass,
        Interface = from,
        Kind = kind,
    };

    // A packet put together from fragments has the header that a whole one would have had: raw sockets and rules look at it.
    private static void RestoreHeader(Packet packet, in IpInfo info)
    {
        if (info.Source.IsV4)
        {
            int length = Ipv4Header.MinLength + packet.Length;
            if (length > ushort.MaxValue)
            {
                return; // its sender has put more into the fragments than a packet holds: the transport sees it, without a header
            }

            IpOutput.WriteV4(packet, ParametersOf(info), identification: 0, offset: 0, more: false);
            packet.Pull(Ipv4Header.MinLength);
        }
        else
        {
            IpOutput.WriteV6(packet, ParametersOf(info), info.Protocol);
            packet.Pull(Ipv6Header.Length);
        }

        packet.TransportHeader = packet.Start;
    }

    private static IpParameters ParametersOf(in IpInfo info) => new()
    {
        Source = info.Source,
        Destination = info.Destination,
        Protocol = info.Protocol,
        TimeToLive = info.TimeToLive,
        TypeOfService = info.TypeOfService,
    };

    private void Deliver(Packet packet, in IpInfo info)
    {
        if (stack.Filter.Hooks is { } hooks)
        {
            DeliverFiltered(hooks, packet, info);
        }
        else
        {
            DeliverLocal(packet, info);
        }
    }

    // Where a packet goes is decided again behind the first hook, which may have changed its destination.
    private void DeliverFiltered(HookTable hooks, Packet packet, in IpInfo info)
    {
        int transport = packet.TransportHeader - packet.NetworkHeader;
        packet.MoveTo(packet.NetworkHeader);
        FilterPacket view = new()
        {
            Stack = stack,
            Packet = packet,
            Source = info.Source,
            Destination = info.Destination,
            Protocol = info.Protocol,
            TransportOffset = transport,
            Input = info.Interface,
        };
        if (transport <= 0 || !hooks.Pass(FilterHook.Prerouting, ref view))
        {
            packet.Release();
            return;
        }

        RouteKind kind = KindOf(view.Destination, info.Interface);
        if (kind == RouteKind.Unicast)
        {
            _forward.Send(hooks, ref view);
            return;
        }

        if (kind == RouteKind.Blackhole || !hooks.Pass(FilterHook.Input, ref view))
        {
            packet.Release();
            return;
        }

        packet.Pull(transport);
        DeliverLocal(packet, new IpInfo
        {
            Source = view.Source,
            Destination = view.Destination,
            Protocol = info.Protocol,
            TimeToLive = info.TimeToLive,
            TypeOfService = info.TypeOfService,
            Interface = info.Interface,
            Kind = kind,
        });
    }

    private void DeliverLocal(Packet packet, in IpInfo info)
    {
        bool wasTaken = stack.RawSockets.Deliver(packet, info);
        if (stack.TransportOf(info.Protocol) is { } transport)
        {
            transport.Receive(packet, info);
        }
        else if (wasTaken)
        {
            packet.Release();
        }
        else
        {
            stack.Errors.SendUnreachable(packet, info, UnreachableReason.Protocol);
        }
    }

    // What an address is to this machine: Unicast if packets to it are for others, Blackhole if they are for nobody.
    private RouteKind KindOf(IpAddress destination, NetworkInterface from)
    {
        if (destination.IsMulticast)
        {
            return from.IsLoopback || from.Groups.Contains(destination) ? RouteKind.Multicast : RouteKind.Blackhole;
        }

        if (destination == IpAddress.BroadcastV4)
        {
            return RouteKind.Broadcast;
        }

        return stack.Routes.Find(destination, 0) is { Kind: RouteKind.Local or RouteKind.Broadcast } route ? route.Kind : RouteKind.Unicast;
    }
}
