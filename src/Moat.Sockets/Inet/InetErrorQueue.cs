using System.Buffers.Binary;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Receives from an error queue (MSG_ERRQUEUE; ip(7), IP_RECVERR).</summary>
internal static class InetErrorQueue
{
    private const int ExtendedLength = 16; // struct sock_extended_err
    private const int OffenderLengthV4 = 16;
    private const int OffenderLengthV6 = 28;
    private const byte FromLocal = 1; // SO_EE_ORIGIN_LOCAL
    private const byte FromIcmp = 2;
    private const byte FromIcmpV6 = 3;

    /// <summary>Takes one error: its datagram's payload and destination, and what is known of it as a control message.</summary>
    public static SyscallResult Receive(IInetSocket socket, SocketErrors errors, ref IoBuffer destination, ref ReceivedMessage message, IKernelClock clock)
    {
        IoSink room = new(destination);
        NetError result = errors.Receive(ref room, out QueuedError error);
        long copied = destination.Length - room.Buffer.Length;
        destination = room.Buffer;
        if (result != NetError.None)
        {
            return result.ToErrno();
        }

        bool isV4 = error.Destination.Address.IsV4;
        byte[] data = new byte[ExtendedLength + (socket.IsV6 ? OffenderLengthV6 : OffenderLengthV4)];
        BinaryPrimitives.WriteInt32LittleEndian(data, (int)error.Error.ToErrno());
        data[4] = error.IsLocal ? FromLocal : isV4 ? FromIcmp : FromIcmpV6;
        data[5] = error.Type;
        data[6] = error.Code;
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(8), error.Info);
        if (!error.IsLocal)
        {
            InetAddress.Format(new IpEndpoint(error.Offender, 0), socket.IsV6).CopyTo(data.AsSpan(ExtendedLength));
            InetControl.Add(ref message, error.Message, 0, socket.Ip, SocketTimestamps.None, socket.IsV6, clock);
        }

        AncillaryData ancillary = message.Ancillary ??= new AncillaryData();
        ancillary.Add(socket.IsV6 ? InetLevel.IPPROTO_IPV6 : InetLevel.IPPROTO_IP, socket.IsV6 ? IpOption.IPV6_RECVERR : IpOption.IP_RECVERR, data);
        message.Address = InetAddress.Format(error.Destination, socket.IsV6);
        message.Flags |= MessageFlags.MSG_ERRQUEUE | (copied < error.Payload.Length ? MessageFlags.MSG_TRUNC : 0);
        return copied;
    }
}
