using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_*ROUTE: reads and changes the routing table.</summary>
internal sealed class RouteRoutes(RouteProtocol route)
{
    private const uint RTM_F_CLONED = 0x200;

    /// <summary>All routes of a family; with strict checking those of one table or interface.</summary>
    public Errno Dump(in NetlinkRequest request, NetlinkWriter answer)
    {
        uint? table = null;
        uint? link = null;
        if (request.IsStrict)
        {
            Errno errno = ReadFilter(request, out table, out link);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        foreach (byte family in (ReadOnlySpan<byte>)[(byte)AddressFamily.AF_INET, (byte)AddressFamily.AF_INET6])
        {
            foreach (Route entry in RouteOrder.ForShow(route.Stack.Routes.List))
            {
                bool isAsked = RouteProtocol.FamilyOf(entry.Destination) == family && RouteProtocol.Asks(request.Payload[0], entry.Destination);
                if (isAsked && (table is null || table == entry.Table) && (link is null || link == entry.InterfaceIndex))
                {
                    Write(answer, entry, RouteMessageType.RTM_NEWROUTE, NetlinkFlags.NLM_F_MULTI, 0);
                }
            }
        }

        return Errno.None;
    }

    /// <summary>How a packet to an address would leave (<c>ip route get</c>).</summary>
    public Errno Get(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (!RouteDescription.Parse(request).TryGet(out RouteDescription? wanted, out Errno errno))
        {
            return errno;
        }

        if (wanted.Link != 0 && route.Stack.FindInterface(wanted.Link) is null)
        {
            return Errno.ENODEV;
        }

        bool isV4 = wanted.Family == AddressFamily.AF_INET;
        IpAddress to = wanted.Destination is { IsAny: false } given ? given : isV4 ? IpAddress.LoopbackV4 : IpAddress.LoopbackV6;
        NetError error = route.Stack.Decide(to, wanted.Source, wanted.Link, out RouteDecision decision);
        if (error != NetError.None)
        {
            return error.ToErrno();
        }

        Route found = new(to, to.Bits, decision.Interface.Index)
        {
            Gateway = decision.NextHop != to ? decision.NextHop : null,
            PreferredSource = decision.Source,
            Kind = decision.Kind,
            Protocol = 0,
        };
        Write(answer, found, RouteMessageType.RTM_NEWROUTE, NetlinkFlags.None, RTM_F_CLONED, isV4 ? request.Task?.Credentials.RealUid : null);
        return Errno.None;
    }

    /// <summary>Adds, or with NLM_F_REPLACE changes, a route.</summary>
    public Errno Add(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (!RouteDescription.Parse(request).TryGet(out RouteDescription? wanted, out Errno errno))
        {
            return errno;
        }

        errno = Check(wanted, out int link);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!wanted.ToRoute(link).TryGet(out Route? added, out errno))
        {
            return errno;
        }

        Route? other = FindSamePlace(added);
        if (other is not null && request.HasAny(NetlinkFlags.NLM_F_EXCL))
        {
            return Errno.EEXIST;
        }

        if (other is null && !request.HasAny(NetlinkFlags.NLM_F_CREATE))
        {
            return Errno.ENOENT;
        }

        if (other is not null && request.HasAny(NetlinkFlags.NLM_F_REPLACE))
        {
            _ = route.Stack.Routes.Remove(other); // another request may have removed it by now
        }

        errno = route.Stack.Routes.Add(added).ToErrno();
        if (errno == Errno.None)
        {
            Notify(request, answer, added, RouteMessageType.RTM_NEWROUTE);
        }

        return errno;
    }

    /// <summary>Removes the first route that the request describes.</summary>
    /// <returns>ESRCH if there is none.</returns>
    public Errno Remove(in NetlinkRequest request, NetlinkWriter answer)
    {
        if (!RouteDescription.Parse(request).TryGet(out RouteDescription? wanted, out Errno errno))
        {
            return errno;
        }

        foreach (Route candidate in route.Stack.Routes.List)
        {
            if (wanted.Matches(candidate) && route.Stack.Routes.Remove(candidate) == NetError.None)
            {
                Notify(request, answer, candidate, RouteMessageType.RTM_DELROUTE);
                return Errno.None;
            }
        }

        return Errno.ESRCH;
    }

    private static Errno ReadFilter(in NetlinkRequest request, out uint? table, out uint? link)
    {
        table = link = null;
        if (request.Payload.Length < RouteDescription.HeaderLength)
        {
            return Errno.EINVAL;
        }

        NetlinkAttributes attributes = request.AttributesAfter(RouteDescription.HeaderLength);
        Errno errno = attributes.Read(RouteDescription.RTA_OIF, out link);
        errno = errno != Errno.None ? errno : attributes.Read(RouteDescription.RTA_TABLE, out table);
        table ??= request.Payload[4] == 0 ? null : request.Payload[4];
        table = table == 0 ? null : table;
        return errno;
    }

    // Where the route leads: the interface is given, or it is the one that the router is on.
    private Errno Check(RouteDescription wanted, out int link)
    {
        link = wanted.Link;
        if (wanted.Table is not (0 or RoutingTable.Main or RoutingTable.Local))
        {
            return Errno.EOPNOTSUPP; // there are no rules that would lead to another table
        }

        if (!Enum.IsDefined(wanted.Kind) && wanted.Kind != 0)
        {
            return Errno.EINVAL;
        }

        if (wanted.Kind is RouteKind.Blackhole or RouteKind.Unreachable or RouteKind.Prohibit)
        {
            return Errno.None;
        }

        if (wanted.Gateway is { } gateway)
        {
            if (route.Stack.Routes.Find(gateway, link) is not { Gateway: null } way)
            {
                return Errno.ENETUNREACH;
            }

            if (way.Kind == RouteKind.Local)
            {
                return Errno.EINVAL; // this machine cannot be its own router
            }

            link = way.InterfaceIndex;
        }

        if (link == 0)
        {
            return Errno.ENODEV;
        }

        return route.Stack.FindInterface(link) is not { } owner ? Errno.ENODEV : owner.IsUp ? Errno.None : Errno.ENETDOWN;
    }

    private Route? FindSamePlace(Route added)
    {
        foreach (Route candidate in route.Stack.Routes.List)
        {
            if (candidate.Destination == added.Destination && candidate.PrefixLength == added.PrefixLength && candidate.Table == added.Table && candidate.Metric == added.Metric)
            {
                return candidate;
            }
        }

        return null;
    }

    private void Notify(in NetlinkRequest request, NetlinkWriter answer, Route changed, RouteMessageType type) => route.Notify(
        changed.Destination.IsV4 ? RouteGroup.RTNLGRP_IPV4_ROUTE : RouteGroup.RTNLGRP_IPV6_ROUTE,
        request,
        answer,
        static (writer, change) => Write(writer, change.Route, change.Type, NetlinkFlags.None, 0),
        (Route: changed, Type: type));

    private static void Write(NetlinkWriter writer, Route entry, RouteMessageType type, NetlinkFlags flags, uint routeFlags, uint? uid = null)
    {
        Span<byte> header = stackalloc byte[RouteDescription.HeaderLength];
        header.Clear();
        header[0] = RouteProtocol.FamilyOf(entry.Destination);
        header[1] = (byte)entry.PrefixLength;
        header[4] = (byte)entry.Table; // there are none but main and local
        header[5] = entry.Protocol;
        header[6] = entry.Scope;
        header[7] = (byte)entry.Kind;
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], routeFlags);
        writer.Begin((ushort)type, flags, header);
        writer.Put(RouteDescription.RTA_TABLE, entry.Table);
        if (entry.PrefixLength > 0)
        {
            writer.Put(RouteDescription.RTA_DST, entry.Destination);
        }

        if (entry.Metric != 0)
        {
            writer.Put(RouteDescription.RTA_PRIORITY, entry.Metric);
        }

        if (entry.PreferredSource is { } source)
        {
            writer.Put(RouteDescription.RTA_PREFSRC, source);
        }

        if (entry.Gateway is { } gateway)
        {
            writer.Put(RouteDescription.RTA_GATEWAY, gateway);
        }

        if (entry.InterfaceIndex != 0)
        {
            writer.Put(RouteDescription.RTA_OIF, (uint)entry.InterfaceIndex);
        }

        if (uid is { } who)
        {
            writer.Put(RouteDescription.RTA_UID, who);
        }

        if (entry.Mtu != 0)
        {
            int nest = writer.BeginNest(RouteDescription.RTA_METRICS);
            writer.Put(RouteDescription.RTAX_MTU, (uint)entry.Mtu);
            writer.EndNest(nest);
        }

        if (!entry.Destination.IsV4)
        {
            const int CacheInfoLength = 32; // struct rta_cacheinfo
            writer.Put(RouteDescription.RTA_CACHEINFO, stackalloc byte[CacheInfoLength]);
            writer.Put(RouteDescription.RTA_PREF, (byte)0);
        }

        writer.End();
    }
}
