using Moat.Netstack.Link;
using Moat.Netstack.Neighbors;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Interfaces;

/// <summary>What follows from an interface's addresses, and from its being up: routes, and groups that it listens to.</summary>
internal sealed class InterfaceConfiguration(NetworkStack stack)
{
    private const byte Kernel = 2; // RTPROT_KERNEL
    private const byte HostScope = 254;

    /// <summary>As <see cref="NetworkStack.AddAddress"/>.</summary>
    public NetError AddAddress(NetworkInterface owner, InterfaceAddress address)
    {
        bool asks = owner.Duplicates?.Wants(address) ?? false;
        address = asks ? address with { Flags = address.Flags | AddressFlags.Tentative } : address;
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
        if (asks)
        {
            owner.Duplicates!.Begin(address.Address);
        }

        return NetError.None;
    }

    /// <summary>It is known whether an address that was tentative is the interface's: then packets to it are taken.</summary>
    public void OnSettled(NetworkInterface owner, InterfaceAddress address)
    {
        AddRoutes(owner, address);
        stack.Observer?.OnAddress(owner, address, isGone: false);
    }

    /// <summary>As <see cref="NetworkStack.RemoveAddress"/>.</summary>
    public NetError RemoveAddress(NetworkInterface owner, IpAddress address, int prefixLength)
    {
        if (owner.RemoveAddress(address, prefixLength) is not { } removed)
        {
            return NetError.NotFound;
        }

        owner.Duplicates?.Forget(address);
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
            AskAgain(owner, address);
        }

        owner.Groups.Reports?.OnUp();
    }

    /// <summary>What follows when the lock of the stack's interfaces has been left.</summary>
    public void OnUpOrDown(NetworkInterface owner)
    {
        if (owner.Link is VirtualLink || owner.Autoconfiguration.AcceptsAdvertisements != 0)
        {
            AdaptV6(owner);
        }
    }

    /// <summary>Gives a link that is up its own address of IPv6, and asks for routers; one that is down, or is not to have any, loses all its addresses, as in Linux.</summary>
    public void AdaptV6(NetworkInterface owner)
    {
        AdaptLinkLocal(owner);
        if (owner.IsUp && !owner.DisablesV6)
        {
            owner.Routers?.Begin();
        }
        else
        {
            owner.Routers?.End();
        }
    }

    private void AdaptLinkLocal(NetworkInterface owner)
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
            stack.Observer?.OnAddress(owner, owner.FindAddress(own.Address) ?? own, isGone: false);
        }
    }

    /// <summary>The address that an interface gives itself: the link-layer address with ff:fe in its middle and its second bit turned (RFC 4291 appendix A).</summary>
    public static IpAddress LinkLocalOf(EthernetAddress hardware)
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

    // While an interface was down somebody may have taken its address.
    private void AskAgain(NetworkInterface owner, InterfaceAddress address)
    {
        if (owner.Duplicates is { } detection && detection.Wants(address) && owner.ChangeAddress(address.Address, static before => before with { Flags = before.Flags | AddressFlags.Tentative }) is { } tentative)
        {
            _ = stack.Routes.Remove(LocalRouteOf(owner, address.Address));
            AddRoutes(owner, tentative);
            detection.Begin(address.Address);
            return;
        }

        AddRoutes(owner, address);
    }

    private static Route LocalRouteOf(NetworkInterface owner, IpAddress own) =>
        new(own, own.Bits, owner.Index) { Kind = RouteKind.Local, Table = RoutingTable.Local, PreferredSource = own.IsV4 ? own : null, Protocol = Kernel, Scope = HostScope };

    private static IEnumerable<Route> RoutesOf(NetworkInterface owner, InterfaceAddress address)
    {
        const byte LinkScope = 253;
        IpAddress own = address.Address;
        if ((address.Flags & AddressFlags.Unusable) == 0)
        {
            yield return LocalRouteOf(owner, own);
        }

        if (address.PrefixLength == own.Bits || !address.HasNetworkRoute)
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
