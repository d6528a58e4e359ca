using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_*NSID: the numbers that a network has for others (ip-netns(8)); <c>struct rtgenmsg</c> and NETNSA_* attributes.</summary>
internal sealed class RouteNetworkIds(RouteProtocol route)
{
    private const int HeaderLength = 4;
    private const ushort NETNSA_NSID = 1;
    private const ushort NETNSA_PID = 2;
    private const ushort NETNSA_FD = 3;

    /// <summary>All numbers.</summary>
    public Errno Dump(NetlinkWriter answer)
    {
        foreach (int number in route.Network.Numbers)
        {
            Write(answer, number, NetlinkFlags.NLM_F_MULTI);
        }

        return Errno.None;
    }

    /// <summary>The number of one network; -1 if it has none.</summary>
    public Errno Get(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (!Find(request).TryGet(out SocketNetwork? network, out Errno errno))
        {
            return errno;
        }

        Write(answer, route.Network.NumberOf(network, mayAssign: false), NetlinkFlags.None);
        network.RemoveUser();
        return Errno.None;
    }

    /// <summary>Gives a network a number: the one that the request has, or any for -1.</summary>
    /// <returns>EEXIST if it has one; ENOSPC if the number is taken.</returns>
    public Errno Add(in NetlinkRequest request)
    {
        Errno errno = request.AttributesAfter(HeaderLength).Read(NETNSA_NSID, out uint? number);
        if (errno != Errno.None || number is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (!Find(request).TryGet(out SocketNetwork? network, out errno))
        {
            return errno;
        }

        errno = route.Network.Assign(network, unchecked((int)number.Value));
        network.RemoveUser();
        return errno;
    }

    private Result<SocketNetwork> Find(in NetlinkRequest request)
    {
        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        Errno errno = attributes.Read(NETNSA_PID, out uint? pid);
        errno = errno != Errno.None ? errno : attributes.Read(NETNSA_FD, out uint? _);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (pid is { } process)
        {
            return LinkPlace.OfProcess(request.Task, process);
        }

        _ = attributes.Read(NETNSA_FD, out uint? fd);
        if (fd is { } descriptor)
        {
            return LinkPlace.OfDescriptor(request.Task, descriptor);
        }

        _ = attributes.Read(NETNSA_NSID, out uint? number);
        return number is { } own ? route.Network.FindByNumber(unchecked((int)own)) ?? (Result<SocketNetwork>)Errno.ENOENT : Errno.EINVAL;
    }

    private static void Write(NetlinkWriter answer, int number, NetlinkFlags flags)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header.Clear();
        answer.Begin((ushort)RouteMessageType.RTM_NEWNSID, flags, header);
        Span<byte> value = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        answer.Put(NETNSA_NSID, value);
        answer.End();
    }
}
