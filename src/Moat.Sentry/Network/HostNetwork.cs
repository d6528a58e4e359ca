using System.Buffers.Binary;
using Moat.Host;
using Moat.Linux;
using Moat.Netstack;
using Moat.Sockets.Netlink;

namespace Moat.Sentry.Network;

/// <summary>Makes the stack's interfaces, addresses, routes and permanent neighbours what those of the container's network namespace are, at the start and whenever they change there
/// (rtnetlink(7)): an engine that connects a running container to another network gives it an interface. What the container itself changes stays as long as the host says nothing about it.</summary>
/// <param name="fd">A socket of NETLINK_ROUTE in that namespace, which is told of changes. The Sentry has no right to change anything through it.</param>
/// <param name="stack">The sandbox's stack.</param>
/// <param name="port">Where frames come in; null if the stack only shows what the host has (--network=host).</param>
/// <param name="log">The log.</param>
internal sealed class HostNetwork(int fd, NetworkStack stack, PacketPort? port, DebugLog log)
{
    private const int StackBytes = 256 << 10;
    private const int RequestLength = NetlinkHeader.Length + 16; // the longest of the fixed parts that follow the header
    private const byte AfInet = 2;
    private const byte AfInet6 = 10;

    private readonly byte[] _buffer = new byte[64 << 10]; // more than the kernel puts into one datagram
    private readonly HostInterfaces _interfaces = new(stack, port, log);
    private uint _sequence;

    /// <summary>Reads everything that is there.</summary>
    /// <returns>The error of the socket.</returns>
    public Errno Load()
    {
        do
        {
            Errno errno = Dump(RouteMessageType.RTM_GETLINK, 0);
            _interfaces.HasNew = false; // of those that come to light during the rest something may have been missed
            errno = errno != Errno.None ? errno : Dump(RouteMessageType.RTM_GETADDR, 0);
            errno = errno != Errno.None ? errno : Dump(RouteMessageType.RTM_GETROUTE, AfInet);
            errno = errno != Errno.None ? errno : Dump(RouteMessageType.RTM_GETROUTE, AfInet6);
            errno = errno != Errno.None ? errno : Dump(RouteMessageType.RTM_GETNEIGH, 0);
            if (errno != Errno.None)
            {
                return errno;
            }
        }
        while (_interfaces.HasNew);

        return Errno.None;
    }

    /// <summary>Follows changes on a thread of its own, which ends with the process.</summary>
    public void Follow() => new Thread(Run, StackBytes) { IsBackground = true, Name = "network changes" }.Start();

    private void Run()
    {
        Errno errno = Errno.None;
        while (errno == Errno.None)
        {
            errno = Receive(0, out _);
            if (errno == Errno.ENOBUFS || _interfaces.HasNew)
            {
                errno = Load(); // messages were lost, or came before their interface was of interest
            }
        }

        log.Error($"network changes: {errno}: the host's network is not followed any more");
    }

    private Errno Dump(RouteMessageType type, byte family)
    {
        Span<byte> request = stackalloc byte[RequestLength];
        request.Clear();
        new NetlinkHeader(RequestLength, (ushort)type, NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_DUMP, ++_sequence, 0).Write(request);
        request[NetlinkHeader.Length] = family;
        SyscallResult written = HostFile.Write(fd, request);
        if (written.IsError)
        {
            return written.Errno;
        }

        bool isDone = false;
        while (!isDone)
        {
            Errno errno = Receive(_sequence, out isDone);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return Errno.None;
    }

    // Takes one datagram; isDone says that the dump with this number has ended in it.
    private Errno Receive(uint dump, out bool isDone)
    {
        isDone = false;
        SyscallResult count = HostFile.Read(fd, _buffer);
        if (count.IsError)
        {
            return count.Errno == Errno.EINTR ? Errno.None : count.Errno;
        }

        ReadOnlySpan<byte> rest = _buffer.AsSpan(0, (int)count.Raw);
        while (rest.Length >= NetlinkHeader.Length)
        {
            NetlinkHeader header = NetlinkHeader.Read(rest);
            if (header.MessageLength < NetlinkHeader.Length || header.MessageLength > rest.Length)
            {
                break;
            }

            ReadOnlySpan<byte> payload = rest[NetlinkHeader.Length..(int)header.MessageLength];
            if (header.Type is NetlinkHeader.Done or NetlinkHeader.Error)
            {
                isDone |= header.Sequence == dump;
                int error = payload.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(payload) : 0;
                if (isDone && error < 0 && (Errno)(-error) != Errno.EOPNOTSUPP)
                {
                    return (Errno)(-error);
                }
            }
            else
            {
                Apply((RouteMessageType)header.Type, payload);
            }

            rest = rest[Math.Min(rest.Length, NetlinkHeader.Align((int)header.MessageLength))..];
        }

        return Errno.None;
    }

    private void Apply(RouteMessageType type, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case RouteMessageType.RTM_NEWLINK or RouteMessageType.RTM_DELLINK:
                _interfaces.ApplyLink(payload, isGone: type == RouteMessageType.RTM_DELLINK);
                break;
            case RouteMessageType.RTM_NEWADDR or RouteMessageType.RTM_DELADDR:
                _interfaces.ApplyAddress(payload, isGone: type == RouteMessageType.RTM_DELADDR);
                break;
            case RouteMessageType.RTM_NEWROUTE or RouteMessageType.RTM_DELROUTE:
                HostRoutes.Apply(stack, _interfaces, payload, isGone: type == RouteMessageType.RTM_DELROUTE);
                break;
            case RouteMessageType.RTM_NEWNEIGH:
                _interfaces.ApplyNeighbor(payload);
                break;
        }
    }
}
