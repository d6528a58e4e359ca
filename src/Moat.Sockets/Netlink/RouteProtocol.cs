using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>NETLINK_ROUTE (rtnetlink(7)): reads and changes the interfaces, addresses, routes and neighbours of a stack, and tells of changes.</summary>
internal sealed class RouteProtocol : INetlinkProtocol
{
    private const int KindMask = 3;
    private const int GetKind = 2;

    private readonly NetlinkPorts _ports;
    private readonly RouteLinks _links;
    private readonly RouteAddresses _addresses;
    private readonly RouteRoutes _routes;
    private readonly RouteNeighbors _neighbors;

    /// <summary>The protocol for a stack, whose changes are told to sockets.</summary>
    public RouteProtocol(NetworkStack stack, NetlinkPorts ports)
    {
        Stack = stack;
        _ports = ports;
        _links = new RouteLinks(this);
        _addresses = new RouteAddresses(this);
        _routes = new RouteRoutes(this);
        _neighbors = new RouteNeighbors(this);
    }

    /// <inheritdoc/>
    public int Number => 0;

    /// <inheritdoc/>
    public int GroupCount => 36; // RTNLGRP_MAX

    /// <summary>The stack.</summary>
    public NetworkStack Stack { get; }

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

    /// <summary>The number of an address's family.</summary>
    public static byte FamilyOf(IpAddress address) => (byte)(address.IsV4 ? AddressFamily.AF_INET : AddressFamily.AF_INET6);

    /// <summary>Whether a request for a family (0 for all) asks for an address.</summary>
    public static bool Asks(byte family, IpAddress address) => family == (byte)AddressFamily.AF_UNSPEC || family == FamilyOf(address);

    private Errno Dump(RouteMessageType type, in NetlinkRequest request, NetlinkWriter answer) => type switch
    {
        RouteMessageType.RTM_GETLINK => _links.Dump(request, answer),
        RouteMessageType.RTM_GETADDR => _addresses.Dump(request, answer),
        RouteMessageType.RTM_GETROUTE => _routes.Dump(request, answer),
        RouteMessageType.RTM_GETNEIGH => _neighbors.Dump(request, answer),
        RouteMessageType.RTM_GETRULE => RouteRules.Dump(request, answer),
        _ => Errno.EOPNOTSUPP,
    };
}
