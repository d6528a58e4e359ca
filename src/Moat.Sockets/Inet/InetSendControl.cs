using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Reads the control messages that go with a datagram: where it leaves from, its TTL and TOS (ip(7), ipv6(7)). Those of other levels mean nothing here, as in Linux.</summary>
internal static class InetSendControl
{
    private const int PacketInfoLength = 12; // struct in_pktinfo: interface, source, (ignored) destination
    private const int PacketInfoLengthV6 = 20; // struct in6_pktinfo: source, interface

    /// <summary>Reads them.</summary>
    /// <param name="ancillary">What came with the datagram, or null.</param>
    /// <param name="isV6">Whether the socket is of AF_INET6.</param>
    /// <param name="isUdp">Whether it is of UDP.</param>
    /// <param name="control">What they want.</param>
    /// <returns>EINVAL.</returns>
    public static Errno Read(AncillaryData? ancillary, bool isV6, bool isUdp, out DatagramControl control)
    {
        control = default;
        if (ancillary?.Messages is not { } messages)
        {
            return Errno.None;
        }

        foreach (ControlMessage message in messages)
        {
            Errno errno = message.Level switch
            {
                InetLevel.IPPROTO_IP => ReadV4(message, ref control),
                InetLevel.IPPROTO_IPV6 when isV6 => ReadV6(message, ref control),
                InetLevel.IPPROTO_UDP when isUdp => ReadUdp(message, ref control),
                _ => Errno.None,
            };
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return Errno.None;
    }

    private static Errno ReadUdp(in ControlMessage message, ref DatagramControl control)
    {
        if (message.Type != InetDatagramOptions.UDP_SEGMENT || message.Data.Length != sizeof(ushort))
        {
            return Errno.EINVAL;
        }

        control = control with { SegmentSize = BinaryPrimitives.ReadUInt16LittleEndian(message.Data) };
        return Errno.None;
    }

    private static Errno ReadV4(in ControlMessage message, ref DatagramControl control)
    {
        ReadOnlySpan<byte> data = message.Data;
        switch (message.Type)
        {
            case IpOption.IP_PKTINFO when data.Length == PacketInfoLength:
                control = control with { InterfaceIndex = BinaryPrimitives.ReadInt32LittleEndian(data), Source = IpAddress.FromBytes(data.Slice(4, 4)) };
                return Errno.None;
            case IpOption.IP_TTL when data.Length == sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(data) is >= 1 and <= byte.MaxValue and int hops:
                control = control with { Hops = (byte)hops };
                return Errno.None;
            case IpOption.IP_TOS when data.Length == 1:
                control = control with { Class = data[0] };
                return Errno.None;
            case IpOption.IP_TOS when data.Length == sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(data) is >= 0 and <= byte.MaxValue and int service:
                control = control with { Class = (byte)service };
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    private static Errno ReadV6(in ControlMessage message, ref DatagramControl control)
    {
        ReadOnlySpan<byte> data = message.Data;
        switch (message.Type)
        {
            case IpOption.IPV6_PKTINFO when data.Length >= PacketInfoLengthV6:
                control = control with { Source = IpAddress.FromBytes(data[..16]), InterfaceIndex = BinaryPrimitives.ReadInt32LittleEndian(data[16..]) };
                return Errno.None;
            case IpOption.IPV6_HOPLIMIT when data.Length == sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(data) is >= -1 and <= byte.MaxValue and int hops:
                control = hops == -1 ? control : control with { Hops = (byte)hops };
                return Errno.None;
            case IpOption.IPV6_TCLASS when data.Length == sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(data) is >= -1 and <= byte.MaxValue and int traffic:
                control = traffic == -1 ? control : control with { Class = (byte)traffic };
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }
}
