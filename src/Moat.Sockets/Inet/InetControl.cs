using System.Buffers.Binary;
using Moat.Kernel.Time;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>The control messages that tell of a datagram: when it came, where and to whom (ip(7), ipv6(7), socket(7)).</summary>
internal static class InetControl
{
    private const int SolSocket = 1;
    private const int ScmTimestamp = 29;
    private const int ScmTimestampNs = 35;
    private const int NsPerSecond = 1_000_000_000;

    private const IpFlags TellsV4 = IpFlags.PacketInfo | IpFlags.TimeToLive | IpFlags.TypeOfService | IpFlags.OriginalDestination;
    private const IpFlags TellsV6 = IpFlags.PacketInfoV6 | IpFlags.HopLimit | IpFlags.TrafficClass;

    /// <summary>Adds what the socket's options want told, in Linux's order. A socket of AF_INET6 tells of IPv4 what both levels' options want.</summary>
    public static void Add(ref ReceivedMessage message, in ReceivedDatagram datagram, ushort ownPort, IpSocketOptions options, SocketTimestamps timestamps, bool isV6, IKernelClock clock)
    {
        if (timestamps == SocketTimestamps.None && !options.Has(TellsV4 | TellsV6))
        {
            return;
        }

        AncillaryData data = message.Ancillary ??= new AncillaryData();
        if (timestamps != SocketTimestamps.None)
        {
            AddTimestamp(data, datagram.ArrivedNs, timestamps, clock);
        }

        if (isV6 && options.Has(IpFlags.PacketInfoV6))
        {
            data.Add(InetLevel.IPPROTO_IPV6, IpOption.IPV6_PKTINFO, PacketInfoV6(datagram));
        }

        if (datagram.Destination.IsV4)
        {
            AddV4(data, datagram, ownPort, options);
        }
        else
        {
            AddV6(data, datagram, options);
        }
    }

    private static void AddV4(AncillaryData data, in ReceivedDatagram datagram, ushort ownPort, IpSocketOptions options)
    {
        if (options.Has(IpFlags.PacketInfo))
        {
            data.Add(InetLevel.IPPROTO_IP, IpOption.IP_PKTINFO, PacketInfoV4(datagram));
        }

        if (options.Has(IpFlags.TimeToLive))
        {
            data.Add(InetLevel.IPPROTO_IP, IpOption.IP_TTL, Int(datagram.TimeToLive));
        }

        if (options.Has(IpFlags.TypeOfService))
        {
            data.Add(InetLevel.IPPROTO_IP, IpOption.IP_TOS, [datagram.TypeOfService]);
        }

        if (options.Has(IpFlags.OriginalDestination))
        {
            data.Add(InetLevel.IPPROTO_IP, IpOption.IP_RECVORIGDSTADDR, InetAddress.Format(new IpEndpoint(datagram.Destination, ownPort), isV6: false));
        }
    }

    private static void AddV6(AncillaryData data, in ReceivedDatagram datagram, IpSocketOptions options)
    {
        if (options.Has(IpFlags.HopLimit))
        {
            data.Add(InetLevel.IPPROTO_IPV6, IpOption.IPV6_HOPLIMIT, Int(datagram.TimeToLive));
        }

        if (options.Has(IpFlags.TrafficClass))
        {
            data.Add(InetLevel.IPPROTO_IPV6, IpOption.IPV6_TCLASS, Int(datagram.TypeOfService));
        }
    }

    // The stack knows the monotonic time of arrival; one that came before the option was set counts as coming now, as in Linux.
    private static void AddTimestamp(AncillaryData data, long arrivedNs, SocketTimestamps timestamps, IKernelClock clock)
    {
        long age = arrivedNs == 0 ? 0 : clock.MonotonicNs - arrivedNs;
        long time = clock.RealtimeNs - age;
        bool isFine = timestamps == SocketTimestamps.Nanoseconds;
        byte[] bytes = new byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, time / NsPerSecond);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(sizeof(long)), time % NsPerSecond / (isFine ? 1 : 1000));
        data.Add(SolSocket, isFine ? ScmTimestampNs : ScmTimestamp, bytes);
    }

    // struct in_pktinfo: interface, own address, header's destination.
    private static byte[] PacketInfoV4(in ReceivedDatagram datagram)
    {
        byte[] bytes = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, datagram.InterfaceIndex);
        IpAddress own = datagram.Destination;
        own.WriteTo(bytes.AsSpan(4));
        own.WriteTo(bytes.AsSpan(8));
        return bytes;
    }

    // struct in6_pktinfo: address, interface.
    private static byte[] PacketInfoV6(in ReceivedDatagram datagram)
    {
        byte[] bytes = new byte[20];
        datagram.Destination.WriteV6To(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), datagram.InterfaceIndex);
        return bytes;
    }

    private static byte[] Int(int value)
    {
        byte[] bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
