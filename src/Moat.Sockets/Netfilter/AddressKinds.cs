using Moat.Netstack;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter;

/// <summary>What the routing table says an address is (RTN_*).</summary>
internal static class AddressKinds
{
    private const uint RTN_UNSPEC = 0;
    private const uint RTN_UNICAST = 1;
    private const uint RTN_LOCAL = 2;
    private const uint RTN_BROADCAST = 3;
    private const uint RTN_MULTICAST = 5;
    private const uint RTN_UNREACHABLE = 7;

    /// <summary>The kind of an address, seen from all interfaces or from one.</summary>
    /// <param name="stack">The routes.</param>
    /// <param name="address">The address.</param>
    /// <param name="interfaceIndex">The interface that an own address has to be of, or 0.</param>
    public static uint Of(NetworkStack stack, IpAddress address, int interfaceIndex)
    {
        if (address.IsMulticast)
        {
            return RTN_MULTICAST;
        }

        if (address.IsAny)
        {
            return address.IsV4 ? RTN_BROADCAST : RTN_UNSPEC;
        }

        if (address == IpAddress.BroadcastV4)
        {
            return RTN_BROADCAST;
        }

        Route? route = stack.Routes.Find(address, 0);
        if (route is null)
        {
            return address.IsV4 ? RTN_UNICAST : RTN_UNREACHABLE;
        }

        bool isElsewhere = interfaceIndex != 0 && route.InterfaceIndex != interfaceIndex && route.Kind == RouteKind.Local;
        return isElsewhere ? RTN_UNICAST : route.Kind == RouteKind.Local ? RTN_LOCAL : (uint)route.Kind;
    }
}
