using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Sockets.Netlink;

/// <summary>Unix, netlink and packet sockets for NETLINK_SOCK_DIAG (<c>linux/unix_diag.h</c>, <c>netlink_diag.h</c>, <c>packet_diag.h</c>).</summary>
internal sealed class OtherDiag(SocketNetwork network)
{
    private const ushort MessageType = 20; // SOCK_DIAG_BY_FAMILY
    private const byte AnyProtocol = 255; // NDIAG_PROTO_ALL, and packets of any

    /// <summary>Unix sockets.</summary>
    /// <returns>EINVAL, ENOENT.</returns>
    public Errno HandleUnix(in NetlinkRequest request, NetlinkWriter answer, bool isDump)
    {
        const int RequestLength = 24; // struct unix_diag_req
        ReadOnlySpan<byte> payload = request.Payload;
        if (payload.Length < RequestLength)
        {
            return Errno.EINVAL;
        }

        uint states = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]);
        uint inode = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
        uint shown = BinaryPrimitives.ReadUInt32LittleEndian(payload[12..]);
        if (!isDump && inode == 0)
        {
            return Errno.EINVAL;
        }

        foreach (SocketDescription socket in List(AddressFamily.AF_UNIX))
        {
            if (isDump ? (states >> socket.State & 1) != 0 : socket.Inode == inode)
            {
                WriteUnix(answer, socket, shown, isDump);
                if (!isDump)
                {
                    return DiagProtocol.MatchesCookie(payload[16..], socket.Inode) ? Errno.None : Errno.ENOENT;
                }
            }
        }

        return isDump ? Errno.None : Errno.ENOENT;
    }

    /// <summary>Netlink sockets.</summary>
    /// <returns>EINVAL; EOPNOTSUPP for one alone.</returns>
    public Errno HandleNetlink(in NetlinkRequest request, NetlinkWriter answer, bool isDump)
    {
        const int RequestLength = 20; // struct netlink_diag_req
        const int MessageLength = 32; // struct netlink_diag_msg
        const ushort NETLINK_DIAG_GROUPS = 1;
        const uint NDIAG_SHOW_GROUPS = 2;
        ReadOnlySpan<byte> payload = request.Payload;
        if (payload.Length < RequestLength)
        {
            return Errno.EINVAL;
        }

        if (!isDump)
        {
            return Errno.EOPNOTSUPP;
        }

        uint shown = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
        Span<byte> header = stackalloc byte[MessageLength];
        foreach (SocketDescription socket in List(AddressFamily.AF_NETLINK))
        {
            if (payload[1] != AnyProtocol && payload[1] != socket.Protocol)
            {
                continue;
            }

            header.Clear();
            (header[0], header[1], header[2], header[3]) = ((byte)AddressFamily.AF_NETLINK, (byte)socket.Type, (byte)socket.Protocol, (byte)socket.State);
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], socket.Port);
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], socket.PeerPort);
            BinaryPrimitives.WriteUInt32LittleEndian(header[16..], (uint)socket.Inode);
            DiagProtocol.WriteCookie(header[20..], socket.Inode);
            answer.Begin(MessageType, NetlinkFlags.NLM_F_MULTI, header[..28]);
            if ((shown & NDIAG_SHOW_GROUPS) != 0 && socket.Groups != 0)
            {
                answer.Put(NETLINK_DIAG_GROUPS, socket.Groups);
            }

            answer.End();
        }

        return Errno.None;
    }

    /// <summary>Packet sockets.</summary>
    /// <returns>EINVAL; EOPNOTSUPP for one alone.</returns>
    public Errno HandlePacket(in NetlinkRequest request, NetlinkWriter answer, bool isDump)
    {
        const int RequestLength = 20; // struct packet_diag_req
        const int MessageLength = 16; // struct packet_diag_msg
        const ushort PACKET_DIAG_INFO = 0;
        const ushort PACKET_DIAG_UID = 4;
        const uint PACKET_SHOW_INFO = 1;
        ReadOnlySpan<byte> payload = request.Payload;
        if (payload.Length < RequestLength || payload[1] != 0)
        {
            return Errno.EINVAL;
        }

        if (!isDump)
        {
            return Errno.EOPNOTSUPP;
        }

        uint shown = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
        Span<byte> header = stackalloc byte[MessageLength];
        Span<byte> info = stackalloc byte[24]; // struct packet_diag_info: interface, version, reserve, copy threshold, timestamp, flags
        foreach (SocketDescription socket in List(AddressFamily.AF_PACKET))
        {
            header.Clear();
            (header[0], header[1]) = ((byte)AddressFamily.AF_PACKET, (byte)socket.Type);
            BinaryPrimitives.WriteUInt16LittleEndian(header[2..], (ushort)socket.Protocol);
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)socket.Inode);
            DiagProtocol.WriteCookie(header[8..], socket.Inode);
            answer.Begin(MessageType, NetlinkFlags.NLM_F_MULTI, header);
            if ((shown & PACKET_SHOW_INFO) != 0)
            {
                info.Clear();
                BinaryPrimitives.WriteInt32LittleEndian(info, socket.InterfaceIndex);
                answer.Put(PACKET_DIAG_INFO, info);
                answer.Put(PACKET_DIAG_UID, socket.Owner);
            }

            answer.End();
        }

        return Errno.None;
    }

    private static void WriteUnix(NetlinkWriter answer, SocketDescription socket, uint shown, bool isDump)
    {
        const int MessageLength = 16; // struct unix_diag_msg
        const ushort UNIX_DIAG_NAME = 0;
        const ushort UNIX_DIAG_PEER = 2;
        const ushort UNIX_DIAG_RQLEN = 4;
        const ushort UNIX_DIAG_MEMINFO = 5;
        const ushort UNIX_DIAG_SHUTDOWN = 6;
        const ushort UNIX_DIAG_UID = 7;
        const uint ShowName = 1;
        const uint ShowPeer = 4;
        const uint ShowQueues = 16;
        const uint ShowMemory = 32;
        const uint ShowOwner = 64;
        Span<byte> header = stackalloc byte[MessageLength];
        header.Clear();
        (header[0], header[1], header[2]) = ((byte)AddressFamily.AF_UNIX, (byte)socket.Type, (byte)socket.State);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)socket.Inode);
        DiagProtocol.WriteCookie(header[8..], socket.Inode);
        answer.Begin(MessageType, isDump ? NetlinkFlags.NLM_F_MULTI : NetlinkFlags.None, header);
        if ((shown & ShowName) != 0 && socket.Name is { } name)
        {
            answer.Put(UNIX_DIAG_NAME, name);
        }

        if ((shown & ShowPeer) != 0 && socket.Peer != 0)
        {
            answer.Put(UNIX_DIAG_PEER, (uint)socket.Peer);
        }

        if ((shown & ShowQueues) != 0)
        {
            Span<byte> queues = stackalloc byte[2 * sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(queues, (uint)socket.ReceiveQueue);
            BinaryPrimitives.WriteUInt32LittleEndian(queues[4..], (uint)socket.SendQueue);
            answer.Put(UNIX_DIAG_RQLEN, queues);
        }

        if ((shown & ShowMemory) != 0)
        {
            InetDiag.WriteMemory(answer, UNIX_DIAG_MEMINFO, socket);
        }

        if ((shown & ShowOwner) != 0)
        {
            answer.Put(UNIX_DIAG_UID, socket.Owner);
        }

        answer.Put(UNIX_DIAG_SHUTDOWN, (byte)socket.Shutdown);
        answer.End();
    }

    private List<SocketDescription> List(AddressFamily family)
    {
        List<SocketDescription> found = [];
        foreach (Socket socket in network.Registry.List<Socket>())
        {
            if (socket.Domain == family)
            {
                found.Add(socket.Describe());
            }
        }

        return found;
    }
}
