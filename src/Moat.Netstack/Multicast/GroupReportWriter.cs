using System.Buffers.Binary;
using Moat.Netstack.Icmp;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>Makes the messages in which an interface tells of its groups.</summary>
internal readonly struct GroupReportWriter(NetworkStack stack, NetworkInterface owner)
{
    private const int RecordsPerMessage = 60; // fit into 1280 bytes of either version
    private const byte ModeIsExclude = 2;
    private const byte ChangeToInclude = 3;
    private const byte ChangeToExclude = 4;

    /// <summary>Sends what is due about groups of one version of IP.</summary>
    /// <param name="due">The groups of both.</param>
    /// <param name="isV4">Which.</param>
    /// <param name="isOld">Whether there is a router that speaks IGMPv2 or MLDv1.</param>
    public void Send(List<(IpAddress Group, PendingReport Report)> due, bool isV4, bool isOld)
    {
        List<(IpAddress Group, PendingReport Report)> told = due.FindAll(entry => entry.Group.IsV4 == isV4);
        if (isOld)
        {
            foreach ((IpAddress group, PendingReport report) in told)
            {
                SendOld(group, report.Leaves);
            }

            return;
        }

        for (int first = 0; first < told.Count; first += RecordsPerMessage)
        {
            SendRecords(told.GetRange(first, Math.Min(RecordsPerMessage, told.Count - first)), isV4);
        }
    }

    private void SendRecords(List<(IpAddress Group, PendingReport Report)> told, bool isV4)
    {
        const int HeaderLength = 8;
        int recordLength = isV4 ? 8 : 20;
        int length = HeaderLength + (told.Count * recordLength);
        Packet packet = stack.Pool.Rent(length);
        Span<byte> message = packet.Append(length);
        message.Clear();
        message[0] = isV4 ? IgmpType.ReportV3 : IcmpV6Type.MulticastListenerReportV2;
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)told.Count);
        for (int i = 0; i < told.Count; i++)
        {
            Span<byte> record = message[(HeaderLength + (i * recordLength))..];
            record[0] = told[i].Report.IsAnswer ? ModeIsExclude : told[i].Report.Leaves ? ChangeToInclude : ChangeToExclude;
            told[i].Group.WriteTo(record[4..]);
        }

        SendMessage(packet, isV4 ? IpAddress.FromV4(0xe000_0016) : IpAddress.Parse("ff02::16"));
    }

    private void SendOld(IpAddress group, bool leaves)
    {
        int length = group.IsV4 ? 8 : 24;
        Packet packet = stack.Pool.Rent(length);
        Span<byte> message = packet.Append(length);
        message.Clear();
        message[0] = group.IsV4 ? (leaves ? IgmpType.Leave : IgmpType.ReportV2) : leaves ? IcmpV6Type.MulticastListenerDone : IcmpV6Type.MulticastListenerReport;
        group.WriteTo(message[(group.IsV4 ? 4 : 8)..]);
        IpAddress allRouters = group.IsV4 ? IpAddress.FromV4(0xe000_0002) : IpAddress.Parse("ff02::2");
        SendMessage(packet, leaves ? allRouters : group);
    }

    // With a router alert, for those who pass on groups they have not joined, and no further than this link.
    private void SendMessage(Packet packet, IpAddress destination)
    {
        IpAddress source = owner.SelectSource(destination.IsV4 ? destination : IpAddress.Parse("fe80::")) is { } own && (destination.IsV4 || own.IsLinkLocal) ? own
            : destination.IsV4 ? IpAddress.AnyV4 : IpAddress.AnyV6;
        packet.TransportHeader = packet.Start;
        if (destination.IsV4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet.Linear[2..], InternetChecksum.Of(packet.Linear));
            PushV4(packet, source, destination);
        }
        else
        {
            IcmpMessages.Seal(packet, source, destination);
            PushV6(packet, source, destination);
        }

        packet.NetworkHeader = packet.Start;
        owner.SendFrame(packet, EthernetAddress.ForMulticast(destination), destination.IsV4 ? EtherType.Ipv4 : EtherType.Ipv6);
    }

    private static void PushV4(Packet packet, IpAddress source, IpAddress destination)
    {
        ReadOnlySpan<byte> routerAlert = [0x94, 4, 0, 0]; // RFC 2113
        int headerLength = Ipv4Header.MinLength + routerAlert.Length;
        Ipv4Header header = new()
        {
            HeaderLength = headerLength,
            TotalLength = headerLength + packet.Length,
            TypeOfService = 0xc0, // internetwork control (RFC 3376 section 4)
            DontFragment = true,
            TimeToLive = 1,
            Protocol = IpProtocol.Igmp,
            Source = source,
            Destination = destination,
        };
        Span<byte> bytes = packet.Push(headerLength);
        routerAlert.CopyTo(bytes[Ipv4Header.MinLength..]);
        header.Write(bytes);
    }

    private static void PushV6(Packet packet, IpAddress source, IpAddress destination)
    {
        ReadOnlySpan<byte> hopByHop = [(byte)IpProtocol.IcmpV6, 0, 5, 2, 0, 0, 1, 0]; // a router alert for MLD (RFC 2711), and padding
        hopByHop.CopyTo(packet.Push(hopByHop.Length));
        Ipv6Header header = new() { PayloadLength = packet.Length, NextHeader = IpProtocol.HopByHop, HopLimit = 1, Source = source, Destination = destination };
        header.Write(packet.Push(Ipv6Header.Length));
    }
}
