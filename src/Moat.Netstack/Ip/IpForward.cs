using System.Buffers.Binary;
using Moat.Netstack.Filter;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Passes packets on that are for others, if this machine is a router (RFC 1812 section 5, RFC 8200).</summary>
internal sealed class IpForward(NetworkStack stack)
{
    private const byte FragmentationNeeded = 4;
    private const byte NetworkUnreachable = 0;
    private const byte HostUnreachable = 1;
    private const byte Prohibited = 13;

    /// <summary>Passes a packet on, which begins with its IP header and is no fragment's rest to look into, without rules.</summary>
    public void Send(Packet packet, NetworkInterface from)
    {
        bool isV4 = packet.Linear[0] >> 4 == 4;
        ReadOnlySpan<byte> header = packet.Linear;
        int length = isV4 ? (header[0] & 0xf) * 4 : Ipv6Header.Length;
        FilterPacket view = new()
        {
            Stack = stack,
            Packet = packet,
            Source = IpAddress.FromBytes(isV4 ? header[12..16] : header[8..24]),
            Destination = IpAddress.FromBytes(isV4 ? header[16..20] : header[24..40]),
            Protocol = (IpProtocol)header[isV4 ? 9 : 6],
            TransportOffset = length,
            Input = from,
        };
        packet.TransportHeader = packet.Start + length;
        Send(null, ref view);
    }

    /// <summary>Passes a packet on, which has passed the first hook.</summary>
    public void Send(HookTable? hooks, ref FilterPacket view)
    {
        if (!TryPrepare(ref view, out RouteDecision route) || (hooks is not null && !hooks.Pass(FilterHook.Forward, ref view)) || (hooks is not null && !hooks.Pass(FilterHook.Postrouting, ref view)))
        {
            view.Packet.Release();
            return;
        }

        if (view.Packet.Checksum == ChecksumState.Verified)
        {
            TransportChecksum.Restart(view.Packet, view.TransportOffset, view.Protocol, view.Source, view.Destination);
        }

        stack.Output.Emit(ref view, route);
    }

    private bool TryPrepare(ref FilterPacket view, out RouteDecision route)
    {
        route = default;
        bool isForwarding = view.IsV6 ? stack.ForwardsV6 : stack.ForwardsV4;
        if (!isForwarding || view.Source.IsLoopback || view.Destination.IsLoopback || view.Destination.IsLinkLocal || view.Source.IsAny)
        {
            view.Input!.Statistics.CountReceiveDropped();
            return false;
        }

        IpInfo info = view.ToInfo(RouteKind.Unicast);
        if (info.TimeToLive <= 1)
        {
            stack.Errors.Report(view.Packet, info, view.IsV6 ? IcmpV6Type.TimeExceeded : IcmpType.TimeExceeded, 0, 0);
            return false;
        }

        NetError error = stack.Decide(view.Destination, view.Source, 0, out route);
        if (error != NetError.None || route.Kind is RouteKind.Local or RouteKind.Broadcast)
        {
            ReportUnreachable(ref view, info, error);
            return false;
        }

        view.Output = route.Interface;
        if (IsTooLarge(view.Packet, view.IsV6, route.Mtu))
        {
            stack.Errors.Report(
                view.Packet, info, view.IsV6 ? IcmpV6Type.PacketTooBig : IcmpType.DestinationUnreachable, view.IsV6 ? (byte)0 : FragmentationNeeded, (uint)route.Mtu);
            return false;
        }

        view.Packet.Unshare();
        Age(view.Packet.Linear, view.IsV6);
        return true;
    }

    private void ReportUnreachable(ref FilterPacket view, in IpInfo info, NetError error)
    {
        if (error == NetError.Invalid)
        {
            return; // a blackhole
        }

        byte code = view.IsV6
            ? error == NetError.PermissionDenied ? (byte)1 : (byte)0
            : error switch { NetError.PermissionDenied => Prohibited, NetError.HostUnreachable => HostUnreachable, _ => NetworkUnreachable };
        stack.Errors.Report(view.Packet, info, view.IsV6 ? IcmpV6Type.DestinationUnreachable : IcmpType.DestinationUnreachable, code, 0);
    }

    private static bool IsTooLarge(Packet packet, bool isV6, int mtu)
    {
        const byte DontFragment = 0x40;
        const int FragmentField = 6;
        bool isWhole = (BinaryPrimitives.ReadUInt16BigEndian(packet.Linear[FragmentField..]) & 0x3fff) == 0;
        return packet.SegmentSize == 0 && packet.Length > mtu && (isV6 || !isWhole || (packet.Linear[FragmentField] & DontFragment) != 0 || (packet.Linear[0] & 0xf) * 4 > Ipv4Header.MinLength);
    }

    private static void Age(Span<byte> header, bool isV6)
    {
        if (isV6)
        {
            header[7]--;
            return;
        }

        const int TimeToLive = 8;
        const int Checksum = 10;
        header[TimeToLive]--;
        int length = (header[0] & 0xf) * 4;
        header[Checksum..(Checksum + 2)].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[Checksum..], InternetChecksum.Of(header[..length]));
    }
}
