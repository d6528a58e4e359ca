using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Tcp;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>Sockets of the internet for NETLINK_SOCK_DIAG (sock_diag(7), <c>linux/inet_diag.h</c>).</summary>
internal sealed class InetDiag(InetSocketList sockets)
{
    private const int RequestLength = 56; // struct inet_diag_req_v2
    private const int MessageLength = 72; // struct inet_diag_msg
    private const int IdOffset = 8; // of struct inet_diag_sockid in the request
    private const int CookieOffset = 40; // in struct inet_diag_sockid
    private const ushort INET_DIAG_REQ_BYTECODE = 1;
    private const ushort INET_DIAG_MEMINFO = 1;
    private const ushort INET_DIAG_INFO = 2;
    private const ushort INET_DIAG_CONG = 4;
    private const ushort INET_DIAG_TOS = 5;
    private const ushort INET_DIAG_TCLASS = 6;
    private const ushort INET_DIAG_SKMEMINFO = 7;
    private const ushort INET_DIAG_SHUTDOWN = 8;
    private const ushort INET_DIAG_PROTOCOL = 10;
    private const ushort INET_DIAG_SKV6ONLY = 11;
    private const ushort INET_DIAG_MARK = 15;

    /// <summary>Carries out a request.</summary>
    /// <returns>EINVAL, ENOENT.</returns>
    public Errno Handle(in NetlinkRequest request, NetlinkWriter answer, bool isDump)
    {
        ReadOnlySpan<byte> payload = request.Payload;
        if (payload.Length < RequestLength)
        {
            return Errno.EINVAL;
        }

        bool isV6 = payload[0] == (byte)AddressFamily.AF_INET6;
        int extensions = payload[2];
        bool hasFilter = request.AttributesAfter(RequestLength).TryFind(INET_DIAG_REQ_BYTECODE, out ReadOnlySpan<byte> filter);
        if (hasFilter && !DiagFilter.IsValid(filter))
        {
            return Errno.EINVAL;
        }

        if (List(isV6, payload[1]) is not { } all)
        {
            return isDump ? Errno.None : Errno.ENOENT;
        }

        uint states = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]);
        ReadOnlySpan<byte> id = payload.Slice(IdOffset, RequestLength - IdOffset);
        bool isFound = false;
        foreach (SocketDescription socket in all)
        {
            bool isAsked = isDump
                ? (states >> socket.State & 1) != 0 && MatchesPorts(id, socket) && (!hasFilter || DiagFilter.Accepts(filter, socket))
                : IsNamed(id, isV6, socket);
            if (isAsked)
            {
                Write(answer, socket, extensions, isDump, request.IsAdmin);
                isFound = true;
            }

            if (isFound && !isDump)
            {
                break;
            }
        }

        return isDump || isFound ? Errno.None : Errno.ENOENT;
    }

    private List<SocketDescription>? List(bool isV6, byte protocol) => (IpProtocol)protocol switch
    {
        IpProtocol.Tcp => sockets.ListTcp(isV6),
        IpProtocol.Udp => sockets.ListDatagrams(isV6, SocketType.SOCK_DGRAM, IpProtocol.Udp),
        IpProtocol.Raw => sockets.ListDatagrams(isV6, SocketType.SOCK_RAW, null),
        _ => null,
    };

    private static bool MatchesPorts(ReadOnlySpan<byte> id, SocketDescription socket)
    {
        ushort source = BinaryPrimitives.ReadUInt16BigEndian(id);
        ushort destination = BinaryPrimitives.ReadUInt16BigEndian(id[2..]);
        return (source == 0 || source == socket.Local.Port) && (destination == 0 || destination == socket.Remote.Port);
    }

    private static bool IsNamed(ReadOnlySpan<byte> id, bool isV6, SocketDescription socket) =>
        BinaryPrimitives.ReadUInt16BigEndian(id) == socket.Local.Port
        && BinaryPrimitives.ReadUInt16BigEndian(id[2..]) == socket.Remote.Port
        && IsAddress(id.Slice(4, isV6 ? 16 : 4), socket.Local.Address)
        && IsAddress(id.Slice(20, isV6 ? 16 : 4), socket.Remote.Address)
        && DiagProtocol.MatchesCookie(id[CookieOffset..], socket.Inode);

    private static bool IsAddress(ReadOnlySpan<byte> bytes, IpAddress address)
    {
        IpAddress wanted = IpAddress.FromBytes(bytes);
        return wanted == address || (wanted.IsAny && address.IsAny);
    }

    private static void Write(NetlinkWriter answer, SocketDescription socket, int extensions, bool isDump, bool isAdmin)
    {
        Span<byte> header = stackalloc byte[MessageLength];
        header.Clear();
        TcpStatus status = socket.Tcp ?? default;
        header[0] = (byte)socket.Family;
        header[1] = (byte)socket.State;
        header[2] = status.State == TcpState.TimeWait ? (byte)3 : (byte)status.Timer;
        header[3] = (byte)Math.Min(status.Timeouts, byte.MaxValue);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], socket.Type == SocketType.SOCK_RAW ? (ushort)socket.Protocol : socket.Local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], socket.Remote.Port);
        WriteAddress(header[8..], socket, socket.Local.Address);
        WriteAddress(header[24..], socket, socket.Remote.Address);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], socket.InterfaceIndex);
        DiagProtocol.WriteCookie(header[44..], socket.Inode);
        BinaryPrimitives.WriteUInt32LittleEndian(header[52..], (uint)(Math.Max(status.TimerLeftNs, 0) / 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(header[56..], (uint)socket.ReceiveQueue);
        BinaryPrimitives.WriteUInt32LittleEndian(header[60..], (uint)socket.SendQueue);
        BinaryPrimitives.WriteUInt32LittleEndian(header[64..], socket.Owner);
        BinaryPrimitives.WriteUInt32LittleEndian(header[68..], (uint)socket.Inode);
        answer.Begin(20, isDump ? NetlinkFlags.NLM_F_MULTI : NetlinkFlags.None, header);
        if (socket.Inode != 0)
        {
            WriteAttributes(answer, socket, extensions, isAdmin);
        }

        answer.End();
    }

    private static void WriteAttributes(NetlinkWriter answer, SocketDescription socket, int extensions, bool isAdmin)
    {
        bool Wants(ushort attribute) => (extensions >> (attribute - 1) & 1) != 0;
        answer.Put(INET_DIAG_SHUTDOWN, (byte)socket.Shutdown);
        if (Wants(INET_DIAG_TOS))
        {
            answer.Put(INET_DIAG_TOS, socket.TypeOfService);
        }

        if (socket.Family == AddressFamily.AF_INET6)
        {
            if (Wants(INET_DIAG_TCLASS))
            {
                answer.Put(INET_DIAG_TCLASS, socket.TrafficClass);
            }

            if (socket.State is (int)TcpState.Listen or (int)TcpState.Closed)
            {
                answer.Put(INET_DIAG_SKV6ONLY, socket.IsV6Only ? (byte)1 : (byte)0);
            }
        }

        if (isAdmin)
        {
            answer.Put(INET_DIAG_MARK, socket.Mark);
        }

        if (socket.Type == SocketType.SOCK_RAW)
        {
            answer.Put(INET_DIAG_PROTOCOL, (byte)socket.Protocol);
        }

        if (Wants(INET_DIAG_MEMINFO))
        {
            Span<byte> memory = stackalloc byte[4 * sizeof(uint)]; // struct inet_diag_meminfo: rmem, wmem, fmem, tmem
            memory.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(memory, (uint)socket.ReceiveQueue);
            BinaryPrimitives.WriteUInt32LittleEndian(memory[4..], (uint)socket.SendQueue);
            answer.Put(INET_DIAG_MEMINFO, memory);
        }

        if (Wants(INET_DIAG_SKMEMINFO))
        {
            WriteMemory(answer, INET_DIAG_SKMEMINFO, socket);
        }

        if (socket.Tcp is not { } status)
        {
            return;
        }

        if (Wants(INET_DIAG_INFO))
        {
            Span<byte> info = stackalloc byte[InetTcpInfo.Length];
            InetTcpInfo.Fill(status, info);
            answer.Put(INET_DIAG_INFO, info);
        }

        if (Wants(INET_DIAG_CONG) && socket.CongestionControl is { } control)
        {
            answer.Put(INET_DIAG_CONG, control);
        }
    }

    /// <summary>Writes what a socket holds (SK_MEMINFO_*): received, its limit, sent, its limit, and four that are not counted, or drops.</summary>
    public static void WriteMemory(NetlinkWriter answer, ushort attribute, SocketDescription socket)
    {
        Span<byte> memory = stackalloc byte[9 * sizeof(uint)];
        memory.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(memory, (uint)socket.ReceiveQueue);
        BinaryPrimitives.WriteInt32LittleEndian(memory[4..], socket.Buffers.Receive);
        BinaryPrimitives.WriteUInt32LittleEndian(memory[8..], (uint)socket.SendQueue);
        BinaryPrimitives.WriteInt32LittleEndian(memory[12..], socket.Buffers.Send);
        BinaryPrimitives.WriteUInt32LittleEndian(memory[20..], (uint)socket.SendQueue);
        BinaryPrimitives.WriteUInt32LittleEndian(memory[32..], (uint)socket.Drops);
        answer.Put(attribute, memory);
    }

    private static void WriteAddress(Span<byte> destination, SocketDescription socket, IpAddress address)
    {
        if (socket.Family == AddressFamily.AF_INET)
        {
            address.WriteTo(destination);
        }
        else if (!(address.IsV4 && address.IsAny))
        {
            address.WriteV6To(destination);
        }
    }
}
