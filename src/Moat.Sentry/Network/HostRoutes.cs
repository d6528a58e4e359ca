using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;
using Moat.Sockets;
using Moat.Sockets.Netlink;

namespace Moat.Sentry.Network;

/// <summary>Routes of the container's network namespace.</summary>
internal static class HostRoutes
{
    private const byte ByKernel = 2; // RTPROT_KERNEL
    private const uint IsCached = 0x200; // RTM_F_CLONED

    /// <summary>Takes a <c>struct rtmsg</c> with its attributes. Those that the kernel makes for addresses the stack makes itself.</summary>
    public static void Apply(NetworkStack stack, HostInterfaces interfaces, ReadOnlySpan<byte> payload, bool isGone)
    {
        if (payload.Length < RouteDescription.HeaderLength || !RouteDescription.Parse(payload).TryGet(out RouteDescription? said, out _) || said.Protocol == ByKernel
            || (BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]) & IsCached) != 0 || said.Kind is not (RouteKind.Unicast or RouteKind.Blackhole or RouteKind.Unreachable or RouteKind.Prohibit))
        {
            return;
        }

        (int link, IpAddress? gateway) = FirstHop(said, payload[RouteDescription.HeaderLength..]);
        NetworkInterface? owner = said.Kind == RouteKind.Unicast ? interfaces.Find(link) : stack.Interfaces[0];
        if (owner is not null && said.ToRoute(owner.Index).TryGet(out Route? route, out _))
        {
            route = route with { Gateway = gateway };
            _ = isGone ? stack.Routes.Remove(route) : stack.Routes.Add(route); // it may be so already: dumps and events overlap
        }
    }

    // Of several ways for one destination the sandbox uses the first (RTA_MULTIPATH: struct rtnexthop and its attributes).
    private static (int Link, IpAddress? Gateway) FirstHop(RouteDescription said, ReadOnlySpan<byte> attributes)
    {
        const int RTA_MULTIPATH = 9;
        const int HopLength = 8;
        if (said.Link != 0 || !new NetlinkAttributes(attributes).TryFind(RTA_MULTIPATH, out ReadOnlySpan<byte> hops) || hops.Length < HopLength)
        {
            return (said.Link, said.Gateway);
        }

        int length = Math.Clamp(BinaryPrimitives.ReadUInt16LittleEndian(hops), HopLength, hops.Length);
        _ = new NetlinkAttributes(hops[HopLength..length]).Read(RouteDescription.RTA_GATEWAY, said.Family, out IpAddress? gateway);
        return (BinaryPrimitives.ReadInt32LittleEndian(hops[4..]), gateway);
    }
}
