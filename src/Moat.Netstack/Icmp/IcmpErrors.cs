using System.Buffers.Binary;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Icmp;

/// <summary>Sends ICMP errors about packets that came in, within the limits of RFC 1122 section 3.2.2 and RFC 4443 section 2.4: never about an error, a broadcast, a later fragment,
/// and no more than a given number in a second.</summary>
public sealed class IcmpErrors(NetworkStack stack)
{
    private const int MaxPerSecond = 1000; // icmp_msgs_per_sec
    private const int Burst = 50; // icmp_msgs_burst
    private const int MaxQuoteV4 = 576 - Ipv4Header.MinLength - IcmpHeader.Length; // RFC 1812 section 4.3.2.3
    private const int MaxQuoteV6 = 1280 - Ipv6Header.Length - IcmpHeader.Length;

    private readonly Lock _lock = new();
    private double _tokens = Burst; // guarded by _lock
    private long _refilledNs = stack.Host.NowNs; // guarded by _lock

    /// <summary>Nobody here takes the packet; it is released.</summary>
    /// <param name="packet">With its headers where <see cref="Packet.NetworkHeader"/> says.</param>
    /// <param name="info">Its IP header.</param>
    /// <param name="reason">Why.</param>
    public void SendUnreachable(Packet packet, in IpInfo info, UnreachableReason reason)
    {
        if (info.Kind == RouteKind.Local && info.Source.IsV4)
        {
            byte code = reason switch { UnreachableReason.Port => 3, UnreachableReason.Protocol => 2, _ => 13 };
            Send(packet, info, IcmpType.DestinationUnreachable, code, 0);
        }
        else if (info.Kind == RouteKind.Local && reason == UnreachableReason.Protocol)
        {
            const byte UnrecognizedNextHeader = 1;
            Send(packet, info, IcmpV6Type.ParameterProblem, UnrecognizedNextHeader, (uint)Ipv6Header.Length);
        }
        else if (info.Kind == RouteKind.Local)
        {
            Send(packet, info, IcmpV6Type.DestinationUnreachable, (byte)(reason == UnreachableReason.Port ? 4 : 1), 0);
        }

        packet.Release();
    }

    /// <summary>A header of an IPv6 packet makes no sense; the packet is released.</summary>
    /// <param name="packet">It begins with the header.</param>
    /// <param name="info">Its IP header.</param>
    /// <param name="pointer">The offending byte, from the header's begin on.</param>
    public void SendParameterProblem(Packet packet, in IpInfo info, int pointer)
    {
        const byte ErroneousField = 0;
        Send(packet, info, IcmpV6Type.ParameterProblem, ErroneousField, (uint)(packet.Start - packet.NetworkHeader + pointer));
        packet.Release();
    }

    /// <summary>Fragments did not come in time; the first one is released.</summary>
    public void SendReassemblyTimeout(Packet first)
    {
        const byte FragmentReassembly = 1;
        if (TryReadInfo(first, out IpInfo info))
        {
            Send(first, info, info.Source.IsV4 ? IcmpType.TimeExceeded : IcmpV6Type.TimeExceeded, FragmentReassembly, 0);
        }

        first.Release();
    }

    /// <summary>A packet of this machine found no neighbour: its socket hears of it as if a router had said so. The packet is released.</summary>
    public void OnUnreachableNeighbor(Packet packet)
    {
        const byte HostUnreachableV4 = 1;
        const byte AddressUnreachableV6 = 3;
        if (TryReadInfo(packet, out IpInfo info) && stack.TransportOf(info.Protocol) is { } transport)
        {
            IpError error = new()
            {
                Error = NetError.HostUnreachable,
                Local = info.Source,
                Remote = info.Destination,
                Offender = info.Source,
                Type = info.Source.IsV4 ? IcmpType.DestinationUnreachable : IcmpV6Type.DestinationUnreachable,
                Code = info.Source.IsV4 ? HostUnreachableV4 : AddressUnreachableV6,
            };
            transport.ReceiveError(error, packet.LinearFrom(packet.TransportHeader));
        }

        packet.Release();
    }

    // The IP header of a packet that has been parsed or written before.
    private bool TryReadInfo(Packet packet, out IpInfo info)
    {
        info = default;
        ReadOnlySpan<byte> bytes = packet.LinearFrom(packet.NetworkHeader);
        if (stack.FindInterface(packet.InterfaceIndex) is not { } owner)
        {
            return false;
        }

        if (Ipv4Header.TryParse(bytes, out Ipv4Header v4))
        {
            info = new IpInfo { Source = v4.Source, Destination = v4.Destination, Protocol = v4.Protocol, Interface = owner, Kind = RouteKind.Local };
            return true;
        }

        if (Ipv6Header.TryParse(bytes, out Ipv6Header v6))
        {
            info = new IpInfo { Source = v6.Source, Destination = v6.Destination, Protocol = v6.NextHeader, Interface = owner, Kind = RouteKind.Local };
            return true;
        }

        return false;
    }

    /// <summary>Tells a packet's sender of an error; the packet stays the caller's.</summary>
    /// <param name="about">The packet.</param>
    /// <param name="info">Its IP header; its kind says whether its destination is an own address.</param>
    /// <param name="type">The error's type.</param>
    /// <param name="code">Its code.</param>
    /// <param name="rest">What the type has to say.</param>
    public void Report(Packet about, in IpInfo info, byte type, byte code, uint rest) => Send(about, info, type, code, rest);

    private void Send(Packet about, in IpInfo info, byte type, byte code, uint rest)
    {
        if (info.Source.IsAny || info.Source.IsMulticast || IsError(about, info) || !TakeToken())
        {
            return;
        }

        IpAddress? own = info.Kind == RouteKind.Local ? info.Destination : null;
        if (stack.Decide(info.Source, own, 0, out RouteDecision route) != NetError.None)
        {
            return;
        }

        int position = about.Start;
        about.MoveTo(about.NetworkHeader);
        int quoted = Math.Min(about.Length, info.Source.IsV4 ? MaxQuoteV4 : MaxQuoteV6);
        Packet packet = stack.Pool.Rent(IcmpHeader.Length + quoted);
        new IcmpHeader(type, code, 0, rest).Write(packet.Append(IcmpHeader.Length));
        _ = about.CopyTo(0, packet.Append(quoted));
        about.MoveTo(position);
        IcmpMessages.Seal(packet, route.Source, info.Source);
        IpParameters parameters = new()
        {
            Source = route.Source,
            Destination = info.Source,
            Protocol = info.Source.IsV4 ? IpProtocol.Icmp : IpProtocol.IcmpV6,
            TimeToLive = 64,
            TypeOfService = info.Source.IsV4 ? (byte)0xc0 : (byte)0, // internetwork control
        };
        _ = stack.Output.Send(packet, parameters, route);
    }

    private static bool IsError(Packet about, in IpInfo info)
    {
        if (info.Protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6))
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = about.LinearFrom(about.TransportHeader);
        return bytes.IsEmpty || (info.Protocol == IpProtocol.IcmpV6 ? bytes[0] < 128 : bytes[0] is not (IcmpType.Echo or IcmpType.EchoReply));
    }

    private bool TakeToken()
    {
        lock (_lock)
        {
            long now = stack.Host.NowNs;
            _tokens = Math.Min(Burst, _tokens + ((now - _refilledNs) * (MaxPerSecond / 1e9)));
            _refilledNs = now;
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}
