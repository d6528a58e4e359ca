using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>NETLINK_ROUTE (rtnetlink(7)): reads and changes the interfaces, addresses, routes and neighbours of a stack, and tells of changes.</summary>
internal sealed class RouteProtocol : INetlinkProtocol, IStackObserver
{
    private const int KindMask = 3;
    private const int GetKind = 2;

    private readonly NetlinkPorts _ports;
    private readonly RouteLinks _links;
    private readonly RouteAddresses _addresses;
    private readonly RouteRoutes _routes;
    private readonly RouteNeighbors _neighbors;
    private readonly RouteNetworkIds _ids;
    private readonly UeventProtocol _uevents;

    /// <summary>The protocol for a network, whose changes are told to sockets.</summary>
    public RouteProtocol(SocketNetwork network, NetlinkPorts ports, UeventProtocol uevents)
    {
        Network = network;
        _ports = ports;
        _uevents = uevents;
        _ids = new RouteNetworkIds(this);
        network.Stack.Observer = this;
        _links = new RouteLinks(this);
        _addresses = new RouteAddresses(this);
        _routes = new RouteRoutes(this);
        _neighbors = new RouteNeighbors(this);
    }

    /// <inheritdoc/>
    public int Number => 0;

    /// <inheritdoc/>
    public int GroupCount => 36; // RTNLGRP_MAX

    /// <summary>The network.</summary>
    public SocketNetwork Network { get; }

    /// <summary>Its stack.</summary>
    public NetworkStack Stack => Network.Stack;

    /// <inheritdoc/>
    public Errno Handle(in NetlinkRequest request, NetlinkWriter answer, out bool isDump)
    {
        isDump = false;
        if (request.Payload.IsEmpty)
        {
            return Errno.None; // not even a family
        }

        int kind = request.Header.Type & KindMask;
        if (kind != GetKind && !request.IsAdmin)
        {
            return Errno.EPERM;
        }

        RouteMessageType type = (RouteMessageType)request.Header.Type;
        if (kind == GetKind && request.HasAny(NetlinkFlags.NLM_F_DUMP))
        {
            isDump = true;
            Errno errno = Dump(type, request, answer);
            if (errno == Errno.None)
            {
                answer.Done();
            }

            return errno;
        }

        return type switch
        {
            RouteMessageType.RTM_GETLINK => _links.Get(request, answer),
            RouteMessageType.RTM_NEWLINK or RouteMessageType.RTM_SETLINK => _links.Set(request, answer),
            RouteMessageType.RTM_DELLINK => _links.Delete(request),
            RouteMessageType.RTM_NEWADDR => _addresses.Add(request, answer),
            RouteMessageType.RTM_DELADDR => _addresses.Remove(request, answer),
            RouteMessageType.RTM_GETROUTE => _routes.Get(request, answer),
            RouteMessageType.RTM_NEWROUTE => _routes.Add(request, answer),
            RouteMessageType.RTM_DELROUTE => _routes.Remove(request, answer),
            RouteMessageType.RTM_GETNEIGH => _neighbors.Get(request, answer),
            RouteMessageType.RTM_NEWNEIGH => _neighbors.Add(request, answer),
            RouteMessageType.RTM_GETNSID => _ids.Get(request, answer),
            RouteMessageType.RTM_NEWNSID => _ids.Add(request),
            RouteMessageType.RTM_DELNEIGH => _neighbors.Remove(request, answer),
            _ => Errno.EOPNOTSUPP,
        };
    }

    /// <summary>Tells the members of a group of a change, and the requester too if it asked for an echo.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cause">The request that made the change.</param>
    /// <param name="echo">Answers to the requester.</param>
    /// <param name="write">Writes the message.</param>
    /// <param name="subject">What has changed.</param>
    public void Notify<T>(RouteGroup group, in NetlinkRequest cause, NetlinkWriter echo, Action<NetlinkWriter, T> write, T subject)
    {
        NetlinkWriter writer = new(cause.Sender?.Port ?? 0, cause.Header.Sequence);
        write(writer, subject);
        bool isEchoed = cause.HasAny(NetlinkFlags.NLM_F_ECHO);
        foreach (byte[] datagram in writer.Finish())
        {
            _ports.Multicast(Number, new NetlinkMessage(datagram, 0, (int)group), isEchoed ? cause.Sender : null);
        }

        if (isEchoed)
        {
            write(echo, subject);
        }
    }

    /// <inheritdoc/>
    public void OnNewLink(NetworkInterface link)
    {
        OnLink(link);
        _uevents.Tell("add", link.Name, link.Index);
    }

    /// <inheritdoc/>
    public void OnLink(NetworkInterface link) =>
        Tell(RouteGroup.RTNLGRP_LINK, static (writer, it) => LinkMessage.Write(writer, it.Network, it.Link, RouteMessageType.RTM_NEWLINK, NetlinkFlags.None), (Network, Link: link));

    /// <inheritdoc/>
    public void OnLinkGone(NetworkInterface link)
    {
        Tell(RouteGroup.RTNLGRP_LINK, static (writer, it) => LinkMessage.Write(writer, it.Network, it.Link, RouteMessageType.RTM_DELLINK, NetlinkFlags.None), (Network, Link: link));
        _uevents.Tell("remove", link.Name, link.Index);
    }

    /// <inheritdoc/>
    public void OnAddress(NetworkInterface owner, InterfaceAddress address, bool isGone) => Tell(
        RouteAddresses.GroupOf(address),
        static (writer, change) => RouteAddresses.Write(writer, change.Owner, change.Address, change.IsGone ? RouteMessageType.RTM_DELADDR : RouteMessageType.RTM_NEWADDR, NetlinkFlags.None),
        (Owner: owner, Address: address, IsGone: isGone));

    /// <summary>The number of an address's family.</summary>
    public static byte FamilyOf(IpAddress address) => (byte)(address.IsV4 ? AddressFamily.AF_INET : AddressFamily.AF_INET6);

    /// <summary>Whether a request for a family (0 for all) asks for an address.</summary>
    public static bool Asks(byte family, IpAddress address) => family == (byte)AddressFamily.AF_UNSPEC || family == FamilyOf(address);

    // Of what no request of this network has caused.
    private void Tell<T>(RouteGroup group, Action<NetlinkWriter, T> write, T subject)
    {
        if (!_ports.HasMembers(Number, (int)group))
        {
            return;
        }

        NetlinkWriter writer = new(0, 0);
        write(writer, subject);
        foreach (byte[] datagram in writer.Finish())
        {
            _ports.Multicast(Number, new NetlinkMessage(datagram, 0, (int)group), null);
        }
    }

    private Errno Dump(RouteMessageType type, in NetlinkRequest request, NetlinkWriter answer) => type switch
    {
        RouteMessageType.RTM_GETLINK => _links.Dump(request, answer),
        RouteMessageType.RTM_GETADDR => _addresses.Dump(request, answer),
        RouteMessageType.RTM_GETROUTE => _routes.Dump(request, answer),
        RouteMessageType.RTM_GETNEIGH => _neighbors.Dump(request, answer),
        RouteMessageType.RTM_GETNSID => _ids.Dump(answer),
        RouteMessageType.RTM_GETRULE => RouteRules.Dump(request, answer),
        _ => Errno.EOPNOTSUPP,
    };
}
