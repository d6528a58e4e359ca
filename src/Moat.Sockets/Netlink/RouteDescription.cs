using Moat.Linux;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>What a message says of a route: <c>struct rtmsg</c> and RTA_* attributes.</summary>
public sealed record RouteDescription(AddressFamily Family)
{
    /// <summary>Bytes of <c>struct rtmsg</c>.</summary>
    public const int HeaderLength = 12;

    public const ushort RTA_DST = 1;
    public const ushort RTA_SRC = 2;
    public const ushort RTA_OIF = 4;
    public const ushort RTA_GATEWAY = 5;
    public const ushort RTA_PRIORITY = 6;
    public const ushort RTA_PREFSRC = 7;
    public const ushort RTA_METRICS = 8;
    public const ushort RTA_CACHEINFO = 12;
    public const ushort RTA_TABLE = 15;
    public const ushort RTA_PREF = 20;
    public const ushort RTA_UID = 25;
    public const ushort RTAX_MTU = 2;

    private const uint DefaultMetricV6 = 1024; // IP6_RT_PRIO_USER

    /// <summary>RTA_DST, or all.</summary>
    public IpAddress? Destination { get; private init; }

    /// <summary>rtm_dst_len.</summary>
    public int PrefixLength { get; private init; }

    /// <summary>RTA_SRC: the source that a look-up asks for.</summary>
    public IpAddress? Source { get; private init; }

    /// <summary>RTA_OIF, or 0.</summary>
    public int Link { get; private init; }

    /// <summary>RTA_GATEWAY.</summary>
    public IpAddress? Gateway { get; private init; }

    /// <summary>RTA_PREFSRC.</summary>
    public IpAddress? PreferredSource { get; private init; }

    /// <summary>RTA_PRIORITY, or 0.</summary>
    public uint Metric { get; private init; }

    /// <summary>RTA_TABLE, or rtm_table; 0 if the request does not say.</summary>
    public uint Table { get; private init; }

    /// <summary>RTAX_MTU, or 0.</summary>
    public uint Mtu { get; private init; }

    /// <summary>rtm_protocol.</summary>
    public byte Protocol { get; private init; }

    /// <summary>rtm_scope.</summary>
    public byte Scope { get; private init; }

    /// <summary>rtm_type, or 0.</summary>
    public RouteKind Kind { get; private init; }

    /// <summary>Reads a request.</summary>
    /// <returns>EINVAL, ERANGE; EOPNOTSUPP for a family without routes.</returns>
    internal static Result<RouteDescription> Parse(in NetlinkRequest request) => Parse(request.Payload);

    /// <summary>Reads what follows a message's header; at least one byte.</summary>
    /// <returns>As above.</returns>
    public static Result<RouteDescription> Parse(ReadOnlySpan<byte> header)
    {
        AddressFamily family = (AddressFamily)header[0];
        if (family is not (AddressFamily.AF_INET or AddressFamily.AF_INET6))
        {
            return Errno.EOPNOTSUPP;
        }

        if (header.Length < HeaderLength || header[1] > (family == AddressFamily.AF_INET ? 32 : 128))
        {
            return Errno.EINVAL;
        }

        NetlinkAttributes attributes = new(header[HeaderLength..]);
        Errno errno = ReadAddresses(attributes, family, out IpAddress? destination, out IpAddress? source, out IpAddress? gateway, out IpAddress? preferred);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = ReadNumbers(attributes, out uint? link, out uint? metric, out uint? table, out uint mtu);
        return errno != Errno.None ? errno : new RouteDescription(family)
        {
            Destination = destination,
            PrefixLength = header[1],
            Source = source,
            Link = unchecked((int)(link ?? 0)),
            Gateway = gateway,
            PreferredSource = preferred,
            Metric = metric ?? 0,
            Table = table ?? header[4],
            Mtu = mtu,
            Protocol = header[5],
            Scope = header[6],
            Kind = (RouteKind)header[7],
        };
    }

    /// <summary>The route to add, out of an interface.</summary>
    /// <returns>EINVAL if bits behind the prefix are set.</returns>
    public Result<Route> ToRoute(int interfaceIndex)
    {
        IpAddress network = Destination ?? (Family == AddressFamily.AF_INET ? IpAddress.AnyV4 : IpAddress.AnyV6);
        if (network.Mask(PrefixLength) != network)
        {
            return Errno.EINVAL;
        }

        return new Route(network, PrefixLength, interfaceIndex)
        {
            Gateway = Gateway,
            PreferredSource = PreferredSource,
            Metric = Family == AddressFamily.AF_INET6 && Metric == 0 ? DefaultMetricV6 : Metric,
            Kind = Kind == 0 ? RouteKind.Unicast : Kind,
            Protocol = Protocol,
            Scope = Family == AddressFamily.AF_INET ? Scope : (byte)0,
            Table = Table == 0 ? RoutingTable.Main : Table,
            Mtu = (int)Math.Min(Mtu, ushort.MaxValue),
        };
    }

    /// <summary>Whether a request to delete means a route: what it does not say does not count.</summary>
    public bool Matches(Route route)
    {
        const byte NowhereScope = 255;
        bool isPlace = RouteProtocol.FamilyOf(route.Destination) == (byte)Family && route.PrefixLength == PrefixLength && (PrefixLength == 0 || route.Destination == Destination)
            && route.Table == (Table == 0 ? RoutingTable.Main : Table);
        return isPlace && (Link == 0 || Link == route.InterfaceIndex) && (Gateway is null || Gateway == route.Gateway) && (Metric == 0 || Metric == route.Metric)
            && (Kind == 0 || Kind == route.Kind) && (Protocol == 0 || Protocol == route.Protocol)
            && (Family == AddressFamily.AF_INET6 || Scope == NowhereScope || Scope == route.Scope) && (PreferredSource is null || PreferredSource == route.PreferredSource);
    }

    private static Errno ReadAddresses(NetlinkAttributes attributes, AddressFamily family, out IpAddress? destination, out IpAddress? source, out IpAddress? gateway, out IpAddress? preferred)
    {
        source = gateway = preferred = null;
        Errno errno = attributes.Read(RTA_DST, family, out destination);
        errno = errno != Errno.None ? errno : attributes.Read(RTA_SRC, family, out source);
        errno = errno != Errno.None ? errno : attributes.Read(RTA_GATEWAY, family, out gateway);
        return errno != Errno.None ? errno : attributes.Read(RTA_PREFSRC, family, out preferred);
    }

    private static Errno ReadNumbers(NetlinkAttributes attributes, out uint? link, out uint? metric, out uint? table, out uint mtu)
    {
        metric = table = null;
        mtu = 0;
        Errno errno = attributes.Read(RTA_OIF, out link);
        errno = errno != Errno.None ? errno : attributes.Read(RTA_PRIORITY, out metric);
        errno = errno != Errno.None ? errno : attributes.Read(RTA_TABLE, out table);
        if (errno == Errno.None && attributes.TryFind(RTA_METRICS, out ReadOnlySpan<byte> metrics))
        {
            errno = new NetlinkAttributes(metrics).Read(RTAX_MTU, out uint? wanted);
            mtu = wanted ?? 0;
        }

        return errno;
    }
}
