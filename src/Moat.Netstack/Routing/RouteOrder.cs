namespace Moat.Netstack.Routing;

/// <summary>The order in which Linux shows routes: of IPv4 by destination within a table, as its trie stands; others as they are tried.</summary>
public static class RouteOrder
{
    /// <summary>The routes, in that order.</summary>
    public static List<Route> ForShow(IReadOnlyList<Route> routes)
    {
        List<Route> shown = [.. routes];
        int first = 0;
        while (first < shown.Count)
        {
            int end = first + 1;
            while (end < shown.Count && shown[end].Table == shown[first].Table)
            {
                end++;
            }

            SortTable(shown, first, end);
            first = end;
        }

        return shown;
    }

    private static void SortTable(List<Route> shown, int first, int end)
    {
        List<Route> v4 = shown.GetRange(first, end - first).FindAll(static route => route.Destination.IsV4);
        v4.Sort(Compare);
        int next = 0;
        for (int i = first; i < end; i++)
        {
            shown[i] = shown[i].Destination.IsV4 ? v4[next++] : shown[i];
        }
    }

    private static int Compare(Route left, Route right)
    {
        int order = left.Destination.V4.CompareTo(right.Destination.V4);
        order = order != 0 ? order : right.PrefixLength.CompareTo(left.PrefixLength);
        return order != 0 ? order : left.Metric.CompareTo(right.Metric);
    }
}
