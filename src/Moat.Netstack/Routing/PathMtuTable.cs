using Moat.Netstack.Wire;

namespace Moat.Netstack.Routing;

/// <summary>What routers have said that the ways to destinations carry (RFC 1191, RFC 8201), where it is less than the route's MTU. Any thread.</summary>
public sealed class PathMtuTable(INetHost host, RoutingTable routes)
{
    /// <summary>How many destinations are remembered: peers can make no more of them.</summary>
    public const int MaxEntries = 1024;

    private const long LifetimeNs = 600_000_000_000; // net.ipv4.route.mtu_expires: then a larger one is tried again
    private const int MinV4 = 552; // net.ipv4.route.min_pmtu
    private const int MinV6 = 1280;

    private readonly Lock _lock = new();
    private readonly Dictionary<IpAddress, (int Mtu, long ExpiryNs)> _paths = []; // guarded by _lock
    private volatile bool _hasAny;

    /// <summary>What a message may make of an MTU: not less than the smallest that a way may have.</summary>
    public static int Bounded(int mtu, IpAddress destination) => Math.Max(mtu, destination.IsV4 ? MinV4 : MinV6);

    /// <summary>The MTU to a destination.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="routeMtu">The route's.</param>
    public int Limit(IpAddress destination, int routeMtu) => _hasAny ? LimitKnown(destination, routeMtu) : routeMtu;

    /// <summary>A packet of this machine to a destination was too big for a router. The caller has found the socket that has sent it.</summary>
    public void Learn(IpAddress destination, int mtu)
    {
        long now = host.NowNs;
        lock (_lock)
        {
            if (_paths.Count >= MaxEntries && !_paths.ContainsKey(destination))
            {
                RemoveExpired(now);
                if (_paths.Count >= MaxEntries)
                {
                    return;
                }
            }

            _paths[destination] = (Bounded(mtu, destination), now + LifetimeNs);
            _hasAny = true;
        }

        routes.Invalidate();
    }

    private int LimitKnown(IpAddress destination, int routeMtu)
    {
        lock (_lock)
        {
            return _paths.TryGetValue(destination, out (int Mtu, long ExpiryNs) path) && path.ExpiryNs > host.NowNs ? Math.Min(routeMtu, path.Mtu) : routeMtu;
        }
    }

    private void RemoveExpired(long now)
    {
        foreach ((IpAddress destination, (int _, long expiry)) in _paths)
        {
            if (expiry <= now)
            {
                _ = _paths.Remove(destination);
            }
        }
    }
}
