using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Bridging;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;
using static Moat.Sockets.Netlink.LinkAttribute;

namespace Moat.Sockets.Netlink;

/// <summary>Makes interfaces for RTM_NEWLINK: veth, bridge, dummy (ip-link(8)). Under the lock of interfaces.</summary>
internal sealed class LinkMaker(RouteProtocol route)
{
    /// <summary>What the times of a bridge are counted in (USER_HZ).</summary>
    public const long TickNs = 10_000_000;

    /// <summary>Makes the interface that a request describes, and of a pair the other one.</summary>
    /// <returns>EOPNOTSUPP for a kind that there is not, or an option of it; EEXIST; EBUSY for a number that is taken; EINVAL.</returns>
    public Errno Make(in NetlinkRequest request, LinkChange change)
    {
        NetlinkAttributes attributes = request.AttributesAfter(LinkMessage.HeaderLength);
        NetlinkAttributes info = attributes.Nest(IFLA_LINKINFO);
        string kind = info.ReadText(IFLA_INFO_KIND) ?? "";
        if (kind is not ("veth" or "bridge" or "dummy"))
        {
            return Errno.EOPNOTSUPP;
        }

        if (change.Address is { IsUnicast: false })
        {
            return Errno.EADDRNOTAVAIL;
        }

        if (!LinkPlace.Find(request, attributes, route.Network).TryGet(out SocketNetwork? place, out Errno errno))
        {
            return errno;
        }

        NetlinkAttributes data = info.Nest(IFLA_INFO_DATA);
        errno = kind switch
        {
            "veth" => MakePair(request, data, place, change),
            "bridge" => MakeBridge(data, place, change),
            _ => Add(place, kind, new DummyLink(AddressOf(change)), change, out _),
        };
        place.RemoveUser();
        return errno;
    }

    // The other end first, as in Linux: it gets the lower number.
    private Errno MakePair(in NetlinkRequest request, NetlinkAttributes data, SocketNetwork place, LinkChange change)
    {
        LinkChange peerChange = LinkChange.Nothing;
        SocketNetwork peerPlace = route.Network;
        Errno errno;
        if (!data.TryFind(VETH_INFO_PEER, out ReadOnlySpan<byte> peer))
        {
            peerPlace.AddUser();
        }
        else if (!LinkChange.Parse(peer).TryGet(out peerChange!, out errno)
            || !LinkPlace.Find(request, new NetlinkAttributes(peer[LinkMessage.HeaderLength..]), route.Network).TryGet(out peerPlace!, out errno))
        {
            return errno;
        }

        if (peerChange.Address is { IsUnicast: false })
        {
            peerPlace.RemoveUser();
            return Errno.EADDRNOTAVAIL;
        }

        (VethLink first, VethLink second) = VethLink.MakePair(route.Network.Backlog, AddressOf(change), AddressOf(peerChange));
        errno = Add(peerPlace, "veth", second, peerChange, out NetworkInterface? other);
        errno = errno != Errno.None ? errno : Add(place, "veth", first, change, out _);
        if (errno != Errno.None && other is not null)
        {
            other.Stack.Delete(other);
        }

        peerPlace.RemoveUser();
        return errno;
    }

    // Spanning tree, VLANs and snooping are what a bridge here does not do.
    private Errno MakeBridge(NetlinkAttributes data, SocketNetwork place, LinkChange change)
    {
        const int MinLength = 1;
        bool wantsMore = false;
        foreach (int option in (ReadOnlySpan<int>)[IFLA_BR_STP_STATE, IFLA_BR_VLAN_FILTERING, IFLA_BR_MCAST_SNOOPING])
        {
            wantsMore |= data.TryFind(option, out ReadOnlySpan<byte> value) && value.Length >= MinLength && value[0] != 0;
        }

        Errno errno = data.Read(IFLA_BR_AGEING_TIME, out uint? ageing);
        if (wantsMore || errno != Errno.None)
        {
            return wantsMore ? Errno.EOPNOTSUPP : errno;
        }

        BridgeLink bridge = new(route.Stack.Host, AddressOf(change));
        bridge.AgeingNs = ageing is { } ticks ? ticks * TickNs : bridge.AgeingNs;
        if (change.Address is { } address)
        {
            _ = bridge.TrySetAddress(address); // so that ports leave it alone
        }

        return Add(place, "bridge", bridge, change, out _);
    }

    private EthernetAddress AddressOf(LinkChange change) => change.Address ?? VirtualLink.RandomAddress(route.Stack.Host);

    private static Errno Add(SocketNetwork place, string prefix, VirtualLink link, LinkChange change, out NetworkInterface? added)
    {
        added = null;
        if (change.Index < 0)
        {
            return Errno.EINVAL;
        }

        if (!LinkNames.Complete(place.Stack, change.Name ?? prefix + "%d").TryGet(out string? name, out Errno errno))
        {
            return errno;
        }

        if (change.Index > 0 && place.Stack.FindInterface(change.Index) is not null)
        {
            return Errno.EBUSY;
        }

        if (change.Mtu is < LinkChanger.MinMtu || change.Mtu > (uint)link.MaxMtu)
        {
            return Errno.EINVAL;
        }

        errno = place.Stack.AddInterface(name, link, out added, change.Index).ToErrno();
        if (errno != Errno.None)
        {
            return errno;
        }

        place.Stack.Observer?.OnNewLink(added!);
        errno = LinkChanger.Apply(added!, change with { Name = null, Address = null });
        if (errno != Errno.None)
        {
            place.Stack.Delete(added!);
            added = null;
        }

        return errno;
    }
}
