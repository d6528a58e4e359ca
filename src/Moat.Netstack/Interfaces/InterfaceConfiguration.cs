using Moat.Netstack.Neighbors;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Interfaces;

/// <summary>What follows from an interface's addresses, and from its being up: routes, and groups that it listens to.</summary>
internal sealed class InterfaceConfiguration(NetworkStack stack)
{
    /// <summary>As <see cref="NetworkStack.AddAddress"/>.</summary>
    public NetError AddAddress(NetworkInterface owner, InterfaceAddress address)
    {
        NetError error = owner.AddAddress(address);
        if (error != NetError.None)
        {
            return error;
        }

        if (SolicitedGroup(owner, address.Address) is { } group)
        {
            _ = owner.Groups.Join(group); // without it only the address cannot be asked for
        }

        AddRoutes(owner, address);
        return NetError.None;
    }

    /// <summary>As <see cref="NetworkStack.RemoveAddress"/>.</summary>
    public NetError RemoveAddress(NetworkInterface owner, IpAddress address, int prefixLength)
    {
        if (owner.RemoveAddress(address, prefixLength) is not { } removed)
        {
            return NetError.NotFound;
        }

        if (SolicitedGroup(owner, address) is { } group)
        {
            _ = owner.Groups.Leave(group);
        }

        HashSet<Route> needed = [];
        foreach (InterfaceAddress other in owner.Addresses)
        {
            needed.UnionWith(RoutesOf(owner, other));
        }

        foreach (Route route in RoutesOf(owner, removed))
        {
            if (!needed.Contains(route))
            {
                _ = stack.Routes.Remove(route);
            }
        }

        return NetError.None;
    }

    /// <summary>As <see cref="NetworkStack.SetUp"/>, under the lock of the stack's interfaces: whether it is up has changed.</summary>
    public void SetUp(NetworkInterface owner, bool isUp)
    {
        owner.IsUp = isUp;
        if (!isUp)
        {
            stack.Routes.RemoveInterface(owner.Index, keepsLocal: true);
            return;
        }

        if (owner.IsLoopback && owner.Addresses.Count == 0)
        {
            _ = owner.AddAddress(new InterfaceAddress(IpAddress.LoopbackV4, 8, null));
            _ = owner.AddAddress(new InterfaceAddress(IpAddress.LoopbackV6, 128, null));
        }

        foreach (InterfaceAddress address in owner.Addresses)
        {
            AddRoutes(owner, address);
        }

        owner.Groups.Reports?.OnUp();
    }

    /// <summary>Gives a virtual link that is up its own address of IPv6; one that is down loses all of them, as in Linux.</summary>
    public void AdaptLinkLocal(NetworkInterface owner)
    {
        bool wantsAddress = owner.IsUp && owner.HasEthernet && !owner.DisablesV6;
        bool hasAddress = false;
        foreach (InterfaceAddress address in owner.Addresses)
        {
            if (address.Address.IsV4)
            {
                continue;
            }

            hasAddress |= address.Address.IsLinkLocal;
            if (!owner.IsUp || owner.DisablesV6)
            {
                _ = RemoveAddress(owner, address.Address, address.PrefixLength);
                stack.Observer?.OnAddress(owner, address, isGone: true);
            }
        }

        InterfaceAddress own = new(LinkLocalOf(owner.Link.Address), 64, null);
        if (wantsAddress && !hasAddress && AddAddress(owner, own) == NetError.None)
        {
            stack.Observer?.OnAddress(owner, own, isGone: false);
        }
    }

    // RFC 4291 appendix A: the link-layer address with ff:fe in its middle and its second bit turned.
    private static IpAddress LinkLocalOf(EthernetAddress hardware)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        (bytes[0], bytes[1]) = (0xfe, 0x80);
        hardware.WriteTo(bytes[10..]);
        bytes[10..13].CopyTo(bytes[8..]);
        (bytes[8], bytes[11], bytes[12]) = ((byte)(bytes[8] ^ 2), 0xff, 0xfe);
        return IpAddress.FromBytes(bytes);
    }

    // Where questions about an address arrive (RFC 4862 section 5.4.2).
    private static IpAddress? SolicitedGroup(NetworkInterface owner, IpAddress address) => owner.HasEthernet && !address.IsV4 ? NeighborDiscovery.SolicitedNodeGroup(address) : null;

    private void AddRoutes(NetworkInterface owner, InterfaceAddress address)
    {
        foreach (Route route in RoutesOf(owner, address))
        {
            if (owner.IsUp || route.Kind == RouteKind.Local)
            {
                _ = stack.Routes.Add(route); // another address of the same network has made it
            }
        }
    }

    private static IEnumerable<Route> RoutesOf(NetworkInterface owner, InterfaceAddress address)
    {
        const byte Kernel = 2;
        const byte HostScope = 254;
        const byte LinkScope = 253;
        IpAddress own = address.Address;
        yield return new Route(own, own.Bits, owner.Index) { Kind = RouteKind.Local, Table = RoutingTable.Local, PreferredSource = own.IsV4 ? own : null, Protocol = Kernel, Scope = HostScope };
        if (address.PrefixLength == own.Bits)
        {
            yield break;
        }

        IpAddress network = own.Mask(address.PrefixLength);
        if (owner.IsLoopback && own.IsV4)
        {
            yield return new Route(network, address.PrefixLength, owner.Index) { Kind = RouteKind.Local, Table = RoutingTable.Local, PreferredSource = own, Protocol = Kernel, Scope = HostScope };
        }
        else
        {
            yield return new Route(network, address.PrefixLength, owner.Index) { PreferredSource = own.IsV4 ? own : null, Protocol = Kernel, Scope = own.IsV4 ? LinkScope : (byte)0, Metric = own.IsV4 ? 0u : 256 };
        }

        if (own.IsV4 && address.PrefixLength < 31)
        {
            IpAddress broadcast = IpAddress.FromV4(network.V4 | uint.MaxValue >> address.PrefixLength);
            yield return new Route(broadcast, 32, owner.Index) { Kind = RouteKind.Broadcast, Table = RoutingTable.Local, PreferredSource = own, Protocol = Kernel, Scope = LinkScope };
        }
    }
}
