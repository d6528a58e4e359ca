using System.Buffers.Binary;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets.Inet;

namespace Moat.Sockets.PacketSockets;

/// <summary>The options of packet sockets (packet(7)). Rings are those of TPACKET_V2; versions 1 and 3 are refused as by a kernel that does not know them.</summary>
internal static class PacketOptions
{
    private const int SOL_PACKET = 263;
    private const int PACKET_ADD_MEMBERSHIP = 1;
    private const int PACKET_DROP_MEMBERSHIP = 2;
    private const int PACKET_RX_RING = 5;
    private const int PACKET_STATISTICS = 6;
    private const int PACKET_AUXDATA = 8;
    private const int PACKET_VERSION = 10;
    private const int PACKET_HDRLEN = 11;
    private const int PACKET_RESERVE = 12;
    private const int PACKET_IGNORE_OUTGOING = 23;
    private const int MembershipLength = 16; // struct packet_mreq
    private const int RingRequestLength = 16; // struct tpacket_req
    private const int TPACKET_V2 = 1;
    private const int HeaderLengthV2 = 32; // struct tpacket2_hdr

    /// <summary>setsockopt(2).</summary>
    public static Errno Set(GuestTask task, PacketSocket socket, int level, int option, ReadOnlySpan<byte> value)
    {
        if (level != SOL_PACKET)
        {
            return Errno.ENOPROTOOPT;
        }

        if (option is PACKET_ADD_MEMBERSHIP or PACKET_DROP_MEMBERSHIP)
        {
            return value.Length < MembershipLength ? Errno.EINVAL : SetMembership(socket, value, option == PACKET_ADD_MEMBERSHIP);
        }

        if (option == PACKET_RX_RING)
        {
            return value.Length < RingRequestLength ? Errno.EINVAL : socket.SetRing(task.Kernel.MemoryFile, value);
        }

        if (option is not (PACKET_VERSION or PACKET_RESERVE or PACKET_IGNORE_OUTGOING or PACKET_AUXDATA))
        {
            return Errno.ENOPROTOOPT;
        }

        if (!OptionValue.ReadInt(value).TryGet(out int number, out Errno errno))
        {
            return errno;
        }

        switch (option)
        {
            case PACKET_VERSION:
                return socket.HasRing ? Errno.EBUSY : number == TPACKET_V2 ? Errno.None : Errno.EINVAL;
            case PACKET_RESERVE:
                return socket.SetReserve(number);
            case PACKET_IGNORE_OUTGOING when number is 0 or 1:
                socket.IgnoresOutgoing = number != 0;
                return Errno.None;
            case PACKET_AUXDATA:
                socket.TellsAuxiliary = number != 0;
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written.</returns>
    public static Result<int> Get(PacketSocket socket, int level, int option, Span<byte> value)
    {
        if (level != SOL_PACKET)
        {
            return Errno.ENOPROTOOPT;
        }

        switch (option)
        {
            case PACKET_STATISTICS:
                Span<byte> counts = stackalloc byte[2 * sizeof(uint)];
                (uint seen, uint lost) = socket.TakeStatistics();
                BinaryPrimitives.WriteUInt32LittleEndian(counts, seen);
                BinaryPrimitives.WriteUInt32LittleEndian(counts[sizeof(uint)..], lost);
                return OptionValue.WriteBytes(counts, value);
            case PACKET_HDRLEN:
                return value.Length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(value) != TPACKET_V2 ? Errno.EINVAL : OptionValue.WriteInt(HeaderLengthV2, value);
            case PACKET_VERSION:
                return OptionValue.WriteInt(TPACKET_V2, value);
            case PACKET_RESERVE:
                return OptionValue.WriteInt(socket.Reserve, value);
            case PACKET_IGNORE_OUTGOING:
                return OptionValue.WriteInt(socket.IgnoresOutgoing ? 1 : 0, value);
            case PACKET_AUXDATA:
                return OptionValue.WriteInt(socket.TellsAuxiliary ? 1 : 0, value);
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    // struct packet_mreq: the interface, and which frames besides its own. The stack's links give it all that arrive, so there is nothing to ask of them.
    private static Errno SetMembership(PacketSocket socket, ReadOnlySpan<byte> value, bool isAdded)
    {
        const int LastKind = 3; // PACKET_MR_UNICAST
        int index = BinaryPrimitives.ReadInt32LittleEndian(value);
        ushort kind = BinaryPrimitives.ReadUInt16LittleEndian(value[4..]);
        if (socket.Stack.FindInterface(index) is null)
        {
            return isAdded ? Errno.ENODEV : Errno.None;
        }

        return kind <= LastKind ? Errno.None : Errno.EINVAL;
    }
}
