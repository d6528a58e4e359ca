using System.Buffers.Binary;
using Moat.Netstack.Autoconfiguration;
using Moat.Netstack.Icmp;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Neighbors;

/// <summary>Neighbour discovery for IPv6 (RFC 4861 section 7): asks who has an address, and answers for its own.</summary>
public sealed class NeighborDiscovery(NetworkStack stack)
{
    private const byte MaxHops = 255; // only a packet of this link still has it (RFC 4861 section 7.1)
    private const int TargetLength = 16;
    private const byte NoOption = 0;
    private const byte SourceLinkAddress = 1;
    private const byte TargetLinkAddress = 2;
    private const uint Solicited = 0x4000_0000;
    private const uint Override = 0x2000_0000;

    private static readonly IpAddress s_linkLocal = IpAddress.Parse("fe80::");
    private static readonly IpAddress s_allNodes = IpAddress.Parse("ff02::1");
    private static readonly IpAddress s_allRouters = IpAddress.Parse("ff02::2");

    /// <summary>The group in which a host listens for questions about an address (RFC 4291 section 2.7.1).</summary>
    public static IpAddress SolicitedNodeGroup(IpAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.WriteV6To(bytes);
        bytes[..13].Clear();
        (bytes[0], bytes[1], bytes[11], bytes[12]) = (0xff, 0x02, 1, 0xff);
        return IpAddress.FromBytes(bytes);
    }

    /// <summary>Asks for a neighbour.</summary>
    /// <param name="owner">On which link.</param>
    /// <param name="target">Its address.</param>
    /// <param name="to">Where it was last, or nothing to ask its group.</param>
    internal void Solicit(NetworkInterface owner, IpAddress target, EthernetAddress to)
    {
        if (owner.SelectSource(target) is { } source)
        {
            IpAddress destination = to == default ? SolicitedNodeGroup(target) : target;
            Send(owner, IcmpV6Type.NeighborSolicitation, 0, target, SourceLinkAddress, source, destination, to == default ? EthernetAddress.ForMulticast(destination) : to);
        }
    }

    /// <summary>Asks whether somebody has an address that the interface wants (RFC 4862 section 5.4.2).</summary>
    internal void AskForDuplicate(NetworkInterface owner, IpAddress target)
    {
        if (owner.IsUp)
        {
            IpAddress group = SolicitedNodeGroup(target);
            Send(owner, IcmpV6Type.NeighborSolicitation, 0, target, NoOption, IpAddress.AnyV6, group, EthernetAddress.ForMulticast(group));
        }
    }

    /// <summary>Asks for routers (RFC 4861 section 6.3.7).</summary>
    internal void AskForRouters(NetworkInterface owner)
    {
        IpAddress source = owner.SelectSource(s_linkLocal) ?? IpAddress.AnyV6;
        if (owner.IsUp)
        {
            Send(owner, IcmpV6Type.RouterSolicitation, 0, null, source.IsAny ? NoOption : SourceLinkAddress, source, s_allRouters, EthernetAddress.ForMulticast(s_allRouters));
        }
    }

    /// <summary>Takes a message of neighbour discovery.</summary>
    internal void Receive(Packet packet, in IcmpHeader header, in IpInfo info)
    {
        if (header.Type == IcmpV6Type.RouterAdvertisement && info.TimeToLive == MaxHops && header.Code == 0 && info.Source.IsLinkLocal)
        {
            ReceiveRouter(packet, info);
        }

        bool isNeighborMessage = header.Type is IcmpV6Type.NeighborSolicitation or IcmpV6Type.NeighborAdvertisement;
        if (isNeighborMessage && info.TimeToLive == MaxHops && header.Code == 0 && packet.LinearLength >= IcmpHeader.Length + TargetLength && info.Interface.Neighbors is { } neighbors)
        {
            ReadOnlySpan<byte> bytes = packet.Linear[IcmpHeader.Length..];
            IpAddress target = IpAddress.FromBytes(bytes[..TargetLength]);
            bool isSolicitation = header.Type == IcmpV6Type.NeighborSolicitation;
            if (TryReadLinkAddress(bytes[TargetLength..], isSolicitation ? SourceLinkAddress : TargetLinkAddress, out EthernetAddress? hardware) && !target.IsMulticast)
            {
                if (isSolicitation)
                {
                    Answer(info, neighbors, target, hardware);
                }
                else if (info.Interface.Duplicates?.OnOther(target) != true && hardware is { } address)
                {
                    neighbors.Learn(target, address, isSolicited: (header.Rest & Solicited) != 0, mayCreate: false);
                }
            }
        }

        packet.Release();
    }

    private static void ReceiveRouter(Packet packet, in IpInfo info)
    {
        const int FixedLength = 16;
        if (info.Interface is { Routers: { } routers, Neighbors: { } neighbors } && RouterAdvertisement.TryParse(packet.Linear, out RouterAdvertisement advertisement))
        {
            if (info.Interface.Autoconfiguration.AcceptsAdvertisements != 0 && TryReadLinkAddress(packet.Linear[FixedLength..], SourceLinkAddress, out EthernetAddress? hardware) && hardware is { } address)
            {
                neighbors.Learn(info.Source, address, isSolicited: false, mayCreate: true);
            }

            routers.Receive(advertisement, info.Source);
        }
    }

    private void Answer(in IpInfo info, NeighborTable neighbors, IpAddress target, EthernetAddress? hardware)
    {
        if (info.Interface.FindAddress(target) is not { } own)
        {
            return;
        }

        if ((own.Flags & AddressFlags.Unusable) != 0)
        {
            // Somebody else wants it as well: neither gets it (RFC 4862 section 5.4.3). Other questions are not for this host yet.
            _ = info.Source.IsAny && (info.Interface.Duplicates?.OnOther(target) ?? false);
            return;
        }

        if (info.Source.IsAny)
        {
            // Somebody wants to take the address: everybody is told that it is taken (RFC 4862 section 5.4.3).
            Send(info.Interface, IcmpV6Type.NeighborAdvertisement, Override, target, TargetLinkAddress, target, s_allNodes, EthernetAddress.ForMulticast(s_allNodes));
            return;
        }

        if (hardware is { } address)
        {
            neighbors.Learn(info.Source, address, isSolicited: false, mayCreate: true);
            Send(info.Interface, IcmpV6Type.NeighborAdvertisement, Solicited | Override, target, TargetLinkAddress, target, info.Source, address);
        }
    }

    // Options are type, length in eight bytes, value; a length of zero spoils the message (RFC 4861 section 4.6).
    private static bool TryReadLinkAddress(ReadOnlySpan<byte> options, byte wanted, out EthernetAddress? address)
    {
        address = null;
        while (options.Length >= 8)
        {
            int length = options[1] * 8;
            if (length == 0 || length > options.Length)
            {
                return false;
            }

            if (options[0] == wanted)
            {
                address = EthernetAddress.FromBytes(options[2..]);
            }

            options = options[length..];
        }

        return true;
    }

    private void Send(NetworkInterface owner, byte type, uint flags, IpAddress? target, byte option, IpAddress source, IpAddress destination, EthernetAddress hardware)
    {
        const int OptionLength = 8;
        int fixedLength = IcmpHeader.Length + (target is null ? 0 : TargetLength);
        int length = fixedLength + (option == NoOption ? 0 : OptionLength);
        Packet packet = stack.Pool.Rent(length);
        Span<byte> bytes = packet.Append(length);
        new IcmpHeader(type, 0, 0, flags).Write(bytes);
        target?.WriteV6To(bytes[IcmpHeader.Length..]);
        if (option != NoOption)
        {
            Span<byte> linkAddress = bytes[fixedLength..];
            linkAddress[0] = option;
            linkAddress[1] = OptionLength / 8;
            owner.Link.Address.WriteTo(linkAddress[2..]);
        }

        IcmpMessages.Seal(packet, source, destination);
        Ipv6Header header = new() { PayloadLength = length, NextHeader = IpProtocol.IcmpV6, HopLimit = MaxHops, Source = source, Destination = destination };
        packet.TransportHeader = packet.Start;
        header.Write(packet.Push(Ipv6Header.Length));
        packet.NetworkHeader = packet.Start;
        owner.SendFrame(packet, hardware, EtherType.Ipv6);
    }
}
