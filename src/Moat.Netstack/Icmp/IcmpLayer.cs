using System.Buffers.Binary;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Icmp;

/// <summary>ICMP of one version: answers echoes, and hands errors to the transport whose packet they quote.</summary>
public sealed class IcmpLayer : ITransport
{
    private readonly NetworkStack _stack;
    private readonly bool _isV6;
    private long _received;
    private long _bad;

    internal IcmpLayer(NetworkStack stack, bool isV6)
    {
        _stack = stack;
        _isV6 = isV6;
        stack.Register(isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp, this);
    }

    /// <summary>Messages received (Icmp: InMsgs).</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Messages that were malformed (Icmp: InErrors).</summary>
    public long Bad => Volatile.Read(ref _bad);

    /// <inheritdoc/>
    public void Receive(Packet packet, in IpInfo info)
    {
        Interlocked.Increment(ref _received);
        if (info.Source.IsV4 == _isV6 || !IcmpHeader.TryParse(packet.Linear, out IcmpHeader header) || !IcmpMessages.IsIntact(packet, info.Source, info.Destination))
        {
            Interlocked.Increment(ref _bad);
            packet.Release();
            return;
        }

        switch (header.Type)
        {
            case IcmpType.Echo when !_isV6:
            case IcmpV6Type.EchoRequest when _isV6:
                Echo(packet, header, info);
                return;
            case IcmpType.EchoReply when !_isV6:
            case IcmpV6Type.EchoReply when _isV6:
                _stack.PingSockets.Deliver(packet, info, (ushort)(header.Rest >> 16));
                return;
            case >= IcmpV6Type.RouterSolicitation and <= IcmpV6Type.Redirect when _isV6:
                _stack.NeighborDiscovery.Receive(packet, header, info);
                return;
            case IcmpV6Type.MulticastListenerQuery when _isV6:
                info.Interface.Groups.Reports?.ReceiveMld(packet.Linear, info);
                break;
            case IcmpType.DestinationUnreachable or IcmpType.TimeExceeded or IcmpType.ParameterProblem when !_isV6:
            case < IcmpV6Type.EchoRequest when _isV6:
                ReceiveQuoted(packet, header, info);
                break;
        }

        packet.Release();
    }

    /// <inheritdoc/>
    public void ReceiveError(in IpError error, ReadOnlySpan<byte> header)
    {
        const int IdentifierOffset = 4;
        if (header.Length >= IcmpHeader.Length && header[0] == (_isV6 ? IcmpV6Type.EchoRequest : IcmpType.Echo))
        {
            _stack.PingSockets.OnError(error, BinaryPrimitives.ReadUInt16BigEndian(header[IdentifierOffset..]), header);
        }
    }

    // The reply is the request, turned round: its data is not copied.
    private void Echo(Packet packet, in IcmpHeader header, in IpInfo info)
    {
        IpAddress? source = info.Kind == RouteKind.Local ? info.Destination : null; // never a group or broadcast address
        if ((info.Kind == RouteKind.Broadcast && info.Source.IsV4) || _stack.Decide(info.Source, source, 0, out RouteDecision route) != NetError.None)
        {
            packet.Release();
            return;
        }

        Packet reply = _stack.Pool.Rent(packet.Length);
        _ = packet.CopyTo(0, reply.Append(packet.Length));
        packet.Release();
        new IcmpHeader(_isV6 ? IcmpV6Type.EchoReply : IcmpType.EchoReply, 0, 0, header.Rest).Write(reply.Linear);
        IcmpMessages.Seal(reply, route.Source, info.Source);
        IpParameters parameters = new()
        {
            Source = route.Source,
            Destination = info.Source,
            Protocol = _isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp,
            TimeToLive = 64,
            TypeOfService = info.TypeOfService,
        };
        _ = _stack.Output.Send(reply, parameters, route);
    }

    private void ReceiveQuoted(Packet packet, in IcmpHeader header, in IpInfo info)
    {
        ReadOnlySpan<byte> quoted = packet.Linear[IcmpHeader.Length..];
        if (!TryReadQuoted(quoted, out IpAddress local, out IpAddress remote, out IpProtocol protocol, out int length) || _stack.TransportOf(protocol) is not { } transport)
        {
            return;
        }

        IpError error = new()
        {
            Error = IcmpMeaning.Of(header, _isV6, out bool isHard),
            IsHard = isHard,
            Mtu = IcmpMeaning.MtuOf(header, _isV6, quoted),
            Local = local,
            Remote = remote,
            Offender = info.Source,
            Type = header.Type,
            Code = header.Code,
            Info = IcmpMeaning.InfoOf(header, _isV6),
            Message = new ReceivedDatagram
            {
                Source = new IpEndpoint(info.Source, 0),
                Destination = info.Destination,
                InterfaceIndex = info.Interface.Index,
                TimeToLive = info.TimeToLive,
                TypeOfService = info.TypeOfService,
            },
        };
        transport.ReceiveError(error, quoted[length..]);
        _stack.RawSockets.OnError(error, protocol, quoted[length..]);
    }

    // The header of a packet of ours; its checksum may have been changed by routers on the way.
    private bool TryReadQuoted(ReadOnlySpan<byte> bytes, out IpAddress source, out IpAddress destination, out IpProtocol protocol, out int length)
    {
        (source, destination, protocol, length) = (default, default, default, 0);
        if (_isV6)
        {
            if (!Ipv6Header.TryParse(bytes, out Ipv6Header header))
            {
                return false;
            }

            (source, destination, protocol, length) = (header.Source, header.Destination, header.NextHeader, Ipv6Header.Length);
            return Ipv6Extensions.TrySkip(bytes, ref protocol, ref length);
        }

        if (bytes.Length < Ipv4Header.MinLength || bytes[0] >> 4 != 4 || (length = (bytes[0] & 0xf) * 4) < Ipv4Header.MinLength || length > bytes.Length)
        {
            return false;
        }

        source = IpAddress.FromBytes(bytes.Slice(12, 4));
        destination = IpAddress.FromBytes(bytes.Slice(16, 4));
        protocol = (IpProtocol)bytes[9];
        return true;
    }
}
