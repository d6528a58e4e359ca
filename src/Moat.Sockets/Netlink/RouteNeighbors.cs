using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Neighbors;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_*NEIGH: <c>struct ndmsg</c> and NDA_* attributes.</summary>
internal sealed class RouteNeighbors(RouteProtocol route)
{
    private const int HeaderLength = 12;
    private const ushort NDA_DST = 1;
    private const ushort NDA_LLADDR = 2;
    private const ushort NUD_PERMANENT = 0x80;
    private const byte RTN_UNICAST = 1;

    /// <summary>All neighbours of a family, of one interface if the request says so.</summary>
    public Errno Dump(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (request.IsStrict && request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        int only = request.Payload.Length >= HeaderLength ? BinaryPrimitives.ReadInt32LittleEndian(request.Payload[4..]) : 0;
        foreach (NetworkInterface owner in route.Stack.Interfaces)
        {
            if (owner.Neighbors is not { } table || (only != 0 && only != owner.Index))
            {
                continue;
            }

            foreach (Neighbor neighbor in table.List)
            {
                if (RouteProtocol.Asks(request.Payload[0], neighbor.Address))
                {
                    Write(answer, owner, neighbor.Address, neighbor.Hardware, neighbor.State, RouteMessageType.RTM_NEWNEIGH, NetlinkFlags.NLM_F_MULTI);
                }
            }
        }

        return Errno.None;
    }

    /// <summary>One neighbour.</summary>
    public Errno Get(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Parse(request, out NetworkInterface? owner, out IpAddress address);
        if (errno != Errno.None)
        {
            return errno;
        }

        foreach (Neighbor neighbor in owner!.Neighbors?.List ?? [])
        {
            if (neighbor.Address == address)
            {
                Write(answer, owner, address, neighbor.Hardware, neighbor.State, RouteMessageType.RTM_NEWNEIGH, NetlinkFlags.None);
                return Errno.None;
            }
        }

        return Errno.ENOENT;
    }

    /// <summary>Sets a neighbour for good. Other states are the stack's to find.</summary>
    public Errno Add(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Parse(request, out NetworkInterface? owner, out IpAddress address);
        if (errno != Errno.None)
        {
            return errno;
        }

        bool hasHardware = request.AttributesAfter(HeaderLength).TryFind(NDA_LLADDR, out ReadOnlySpan<byte> hardware);
        if (hasHardware && hardware.Length < EthernetAddress.Length)
        {
            return Errno.EINVAL;
        }

        if (owner!.Neighbors is not { } table || BinaryPrimitives.ReadUInt16LittleEndian(request.Payload[8..]) != NUD_PERMANENT || !hasHardware)
        {
            return Errno.EOPNOTSUPP;
        }

        EthernetAddress station = EthernetAddress.FromBytes(hardware);
        if (!station.IsUnicast || address.IsMulticast || address.IsAny)
        {
            return Errno.EINVAL;
        }

        table.SetPermanent(address, station);
        Notify(request, answer, owner, address, station, NeighborState.Permanent, RouteMessageType.RTM_NEWNEIGH);
        return Errno.None;
    }

    /// <summary>Forgets a neighbour.</summary>
    public Errno Remove(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Parse(request, out NetworkInterface? owner, out IpAddress address);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (owner!.Neighbors is not { } table || table.Remove(address) != Netstack.NetError.None)
        {
            return Errno.ENOENT;
        }

        Notify(request, answer, owner, address, default, NeighborState.Failed, RouteMessageType.RTM_DELNEIGH);
        route.Stack.Flush();
        return Errno.None;
    }

    private Errno Parse(in NetlinkRequest request, out NetworkInterface? owner, out IpAddress address)
    {
        owner = null;
        address = default;
        if (request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        AddressFamily family = (AddressFamily)request.Payload[0];
        int index = BinaryPrimitives.ReadInt32LittleEndian(request.Payload[4..]);
        if (index != 0)
        {
            owner = route.Stack.FindInterface(index);
            if (owner is null)
            {
                return Errno.ENODEV;
            }
        }

        if (family is not (AddressFamily.AF_INET or AddressFamily.AF_INET6))
        {
            return Errno.EAFNOSUPPORT;
        }

        Errno errno = request.AttributesAfter(HeaderLength).Read(NDA_DST, family, out IpAddress? wanted);
        address = wanted ?? default;
        return errno != Errno.None ? errno : wanted is null || owner is null ? Errno.EINVAL : Errno.None;
    }

    private void Notify(in NetlinkRequest request, NetlinkWriter answer, NetworkInterface owner, IpAddress address, EthernetAddress hardware, NeighborState state, RouteMessageType type) => route.Notify(
        RouteGroup.RTNLGRP_NEIGH,
        request,
        answer,
        static (writer, change) => Write(writer, change.Owner, change.Address, change.Hardware, change.State, change.Type, NetlinkFlags.None),
        (Owner: owner, Address: address, Hardware: hardware, State: state, Type: type));

    private static void Write(NetlinkWriter writer, NetworkInterface owner, IpAddress address, EthernetAddress hardware, NeighborState state, RouteMessageType type, NetlinkFlags flags)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header.Clear();
        header[0] = RouteProtocol.FamilyOf(address);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], owner.Index);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], (ushort)state);
        header[11] = RTN_UNICAST;
        writer.Begin((ushort)type, flags, header);
        writer.Put(NDA_DST, address);
        if (state is not (NeighborState.Incomplete or NeighborState.Failed))
        {
            writer.Put(NDA_LLADDR, hardware);
        }

        writer.End();
    }
}
