using Moat.Netstack.Wire;

namespace Moat.Netstack.Routing;

/// <summary>All routes, the local ones included. Readers take a snapshot without a lock; a change replaces it.</summary>
public sealed class RoutingTable
{
    /// <summary>RT_TABLE_MAIN.</summary>
    public const uint Main = 254;

    /// <summary>RT_TABLE_LOCAL.</summary>
    public const uint Local = 255;

    /// <summary>RT_TABLE_DEFAULT.</summary>
    public const uint Default = 253;

    /// <summary>How many routes there may be.</summary>
    public const int MaxRoutes = 4096;

    private readonly Lock _lock = new();
    private Route[] _routes = []; // replaced under _lock
    private int _generation;

    /// <summary>Changes with every change of the table or of an interface: what was decided before is to be decided again.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>The routes in the order in which they are tried: the local table, the main one, the others; longer prefixes, lower metrics.</summary>
    public IReadOnlyList<Route> List => Volatile.Read(ref _routes);

    /// <summary>Adds a route.</summary>
    /// <returns>Exists if one with the same destination, table, metric and interface is there; NoBufferSpace.</returns>
    public NetError Add(Route route)
    {
        lock (_lock)
        {
            if (_routes.Length >= MaxRoutes)
            {
                return NetError.NoBufferSpace;
            }

            foreach (Route other in _routes)
            {
                if (IsSameEntry(other, route))
                {
                    return NetError.Exists;
                }
            }

            Route[] routes = [.. _routes, route];
            Array.Sort(routes, Compare);
            Publish(routes);
            return NetError.None;
        }
    }

    /// <summary>Removes a route that equals <paramref name="route"/> in destination, table, metric and interface.</summary>
    /// <returns>NotFound.</returns>
    public NetError Remove(Route route)
    {
        lock (_lock)
        {
            int index = Array.FindIndex(_routes, other => IsSameEntry(other, route));
            if (index < 0)
            {
                return NetError.NotFound;
            }

            Publish([.. _routes[..index], .. _routes[(index + 1)..]]);
            return NetError.None;
        }
    }

    /// <summary>Removes all routes of an interface.</summary>
    /// <param name="interfaceIndex">Which.</param>
    /// <param name="keepsLocal">Whether those to its own addresses stay.</param>
    public void RemoveInterface(int interfaceIndex, bool keepsLocal = false)
    {
        lock (_lock)
        {
            Publish(Array.FindAll(_routes, route => route.InterfaceIndex != interfaceIndex || (keepsLocal && route.Kind == RouteKind.Local)));
        }
    }

    /// <summary>Makes earlier decisions void.</summary>
    public void Invalidate() => Interlocked.Increment(ref _generation);

    /// <summary>The route to a destination, in the tables that are looked into where no rule says otherwise.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="interfaceIndex">The interface a socket is bound to, or 0. Local routes count for any.</param>
    public Route? Find(IpAddress destination, int interfaceIndex)
    {
        foreach (Route route in Volatile.Read(ref _routes))
        {
            if (destination.IsInPrefix(route.Destination, route.PrefixLength) && (route.Table is Local or Main or Default) && (interfaceIndex == 0 || route.InterfaceIndex == interfaceIndex || route.Kind == RouteKind.Local))
            {
                return route;
            }
        }

        return null;
    }

    private static bool IsSameEntry(Route left, Route right) =>
        left.Destination == right.Destination && left.PrefixLength == right.PrefixLength && left.Table == right.Table && left.Metric == right.Metric
        && left.InterfaceIndex == right.InterfaceIndex && left.Kind == right.Kind && left.Gateway == right.Gateway;

    private static int Compare(Route left, Route right)
    {
        int order = right.Table.CompareTo(left.Table); // local, main, default: their numbers fall
        order = order != 0 ? order : right.PrefixLength.CompareTo(left.PrefixLength);
        return order != 0 ? order : left.Metric.CompareTo(right.Metric);
    }

    private void Publish(Route[] routes)
    {
        Volatile.Write(ref _routes, routes);
        Interlocked.Increment(ref _generation);
    }
}
