using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Sockets.Inet;
using static Moat.Sockets.Netlink.LinkAttribute;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_*LINK: <c>struct ifinfomsg</c> and IFLA_* attributes.</summary>
internal sealed class RouteLinks(RouteProtocol route)
{
    private const int HeaderLength = LinkMessage.HeaderLength;

    private readonly LinkMaker _maker = new(route);

    /// <summary>All interfaces, or of AF_BRIDGE the ports of bridges; with strict checking those of one bridge or kind. A family that has no interfaces of its own gets all of them, as AF_UNSPEC does.</summary>
    public Errno Dump(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (request.IsStrict && request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        Errno errno = attributes.Read(IFLA_MASTER, out uint? master);
        if (errno != Errno.None)
        {
            return errno;
        }

        string? kind = attributes.Nest(IFLA_LINKINFO).ReadText(IFLA_INFO_KIND);
        bool isBridge = request.Payload[0] == (byte)AddressFamily.AF_BRIDGE;
        foreach (NetworkInterface link in route.Stack.Interfaces)
        {
            if ((master is { } number && link.Port?.Bridge.Interface?.Index != (int)number) || (kind is not null && kind != link.Link.Kind))
            {
                continue;
            }

            if (!isBridge)
            {
                LinkMessage.Write(answer, route.Network, link, RouteMessageType.RTM_NEWLINK, NetlinkFlags.NLM_F_MULTI);
            }
            else if (link.Port is { } port)
            {
                LinkMessage.WritePort(answer, port, NetlinkFlags.NLM_F_MULTI);
            }
        }

        return Errno.None;
    }

    /// <summary>One interface, by number or name.</summary>
    public Errno Get(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Find(request, out NetworkInterface? link);
        if (errno == Errno.None)
        {
            LinkMessage.Write(answer, route.Network, link!, RouteMessageType.RTM_NEWLINK, NetlinkFlags.None);
        }

        return errno;
    }

    /// <summary>Makes an interface, or changes one.</summary>
    public Errno Set(in NetlinkRequest request, NetlinkWriter answer)
    {
        lock (route.Network.LinkLock)
        {
            return SetLocked(request, answer);
        }
    }

    /// <summary>Deletes an interface that is of a kind that programs make; of a pair both.</summary>
    public Errno Delete(in NetlinkRequest request)
    {
        lock (route.Network.LinkLock)
        {
            Errno errno = Find(request, out NetworkInterface? link);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (link!.Link.Kind is null)
            {
                return Errno.EOPNOTSUPP;
            }

            route.Stack.Delete(link);
            return Errno.None;
        }
    }

    private Errno SetLocked(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Find(request, out NetworkInterface? link);
        bool isNew = request.Header.Type == (ushort)RouteMessageType.RTM_NEWLINK;
        if (errno != Errno.None && (errno != Errno.ENODEV || !isNew || !request.HasAny(NetlinkFlags.NLM_F_CREATE)))
        {
            return errno;
        }

        if (!LinkChange.Parse(request.Payload).TryGet(out LinkChange? change, out Errno failure))
        {
            return failure;
        }

        if (errno != Errno.None)
        {
            return _maker.Make(request, change);
        }

        if (isNew && request.HasAny(NetlinkFlags.NLM_F_EXCL))
        {
            return Errno.EEXIST;
        }

        if (request.Payload[0] == (byte)AddressFamily.AF_BRIDGE)
        {
            return SetPort(request, link!);
        }

        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        if (isNew && attributes.Nest(IFLA_LINKINFO).ReadText(IFLA_INFO_KIND) is { } kind && kind != link!.Link.Kind)
        {
            return Errno.EOPNOTSUPP;
        }

        if (LinkPlace.IsNamed(attributes))
        {
            errno = Move(request, attributes, change, ref link!);
            change = change with { Name = null };
        }

        errno = errno != Errno.None ? errno : LinkChanger.Apply(link!, change);
        if (errno == Errno.None && link!.Port is { } port && attributes.Nest(IFLA_LINKINFO).TryFind(IFLA_INFO_SLAVE_DATA, out ReadOnlySpan<byte> options))
        {
            errno = BridgePortOptions.Apply(port, new NetlinkAttributes(options));
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        if (link!.Stack == route.Stack)
        {
            route.Notify(RouteGroup.RTNLGRP_LINK, request, answer, static (writer, changed) => LinkMessage.Write(writer, changed.Network, changed.Link, RouteMessageType.RTM_NEWLINK, NetlinkFlags.None), (route.Network, Link: link));
        }
        else
        {
            link.Stack.Observer?.OnLink(link);
        }

        return Errno.None;
    }

    // The interface is another one there, with what it is named in the same request.
    private Errno Move(in NetlinkRequest request, NetlinkAttributes attributes, LinkChange change, ref NetworkInterface link)
    {
        if (!LinkPlace.Find(request, attributes, route.Network).TryGet(out SocketNetwork? place, out Errno errno))
        {
            return errno;
        }

        bool staysHere = place == route.Network;
        if (staysHere)
        {
            errno = change.Name is { } same ? LinkChanger.Rename(link, same) : Errno.None;
        }
        else if (link.Link is not VirtualLink { MayMove: true })
        {
            errno = Errno.EINVAL; // loopback, a bridge and what the sandbox itself was given stay
        }
        else if (LinkNames.Complete(place.Stack, change.Name ?? link.Name).TryGet(out string? name, out errno))
        {
            errno = route.Stack.MoveInterface(link, place.Stack, name, out NetworkInterface? arrived).ToErrno();
            if (arrived is not null && errno == Errno.None)
            {
                link = arrived;
                place.Stack.Observer?.OnNewLink(link);
            }
        }

        place.RemoveUser();
        return errno;
    }

    private static Errno SetPort(in NetlinkRequest request, NetworkInterface link)
    {
        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        return link.Port is not { } port ? Errno.EOPNOTSUPP
            : attributes.TryFind(IFLA_PROTINFO, out ReadOnlySpan<byte> options) ? BridgePortOptions.Apply(port, new NetlinkAttributes(options)) : Errno.EOPNOTSUPP;
    }

    private Errno Find(in NetlinkRequest request, out NetworkInterface? link)
    {
        link = null;
        if (request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        int index = BinaryPrimitives.ReadInt32LittleEndian(request.Payload[4..]);
        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        string? name = attributes.ReadText(IFLA_IFNAME);
        if (index == 0 && string.IsNullOrEmpty(name))
        {
            name = attributes.ReadText(IFLA_ALT_IFNAME); // there are none, so that it is one that nothing has
        }

        if (index == 0 && string.IsNullOrEmpty(name))
        {
            // iproute2 asks this to find out whether links can be changed through netlink.
            return request.Header.Type == (ushort)RouteMessageType.RTM_NEWLINK ? Errno.ENODEV : Errno.EINVAL;
        }

        if (index < 0)
        {
            return Errno.EINVAL;
        }

        link = index > 0 ? route.Stack.FindInterface(index) : route.Stack.FindInterface(name!);
        return link is null ? Errno.ENODEV : Errno.None;
    }
}
