using System.Buffers.Binary;
using Moat.Linux;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>NETLINK_SOCK_DIAG (sock_diag(7)): lists sockets, for ss(8). Destroying them (SOCK_DESTROY) is compiled out, as it may be in Linux.</summary>
internal sealed class DiagProtocol(SocketNetwork network) : INetlinkProtocol
{
    private const ushort SOCK_DIAG_BY_FAMILY = 20;
    private const ushort SOCK_DESTROY = 21;
    private const int RequestHeader = 2; // struct sock_diag_req: family, protocol

    private readonly InetDiag _inet = new(new InetSocketList(network));

    /// <inheritdoc/>
    public int Number => 4;

    /// <inheritdoc/>
    public int GroupCount => 4; // SKNLGRP_MAX

    /// <inheritdoc/>
    public Errno Handle(in NetlinkRequest request, NetlinkWriter answer, out bool isDump)
    {
        isDump = false;
        if (request.Header.Type == SOCK_DESTROY)
        {
            return Errno.EOPNOTSUPP;
        }

        if (request.Header.Type != SOCK_DIAG_BY_FAMILY || request.Payload.Length < RequestHeader)
        {
            return Errno.EINVAL;
        }

        isDump = request.HasAny(NetlinkFlags.NLM_F_DUMP);
        Errno errno = (AddressFamily)request.Payload[0] switch
        {
            AddressFamily.AF_INET or AddressFamily.AF_INET6 => _inet.Handle(request, answer, isDump),
            AddressFamily.AF_UNIX => new OtherDiag(network).HandleUnix(request, answer, isDump),
            AddressFamily.AF_NETLINK => new OtherDiag(network).HandleNetlink(request, answer, isDump),
            AddressFamily.AF_PACKET => new OtherDiag(network).HandlePacket(request, answer, isDump),
            _ => Errno.ENOENT,
        };
        if (errno == Errno.None && isDump)
        {
            answer.Done();
        }

        return errno;
    }

    /// <summary>Writes a cookie as two words.</summary>
    public static void WriteCookie(Span<byte> destination, ulong cookie) => BinaryPrimitives.WriteUInt64LittleEndian(destination, cookie);

    /// <summary>Whether a request's cookie names a socket; all ones name any.</summary>
    public static bool MatchesCookie(ReadOnlySpan<byte> cookie, ulong inode)
    {
        ulong wanted = BinaryPrimitives.ReadUInt64LittleEndian(cookie);
        return wanted == ulong.MaxValue || wanted == inode;
    }
}
