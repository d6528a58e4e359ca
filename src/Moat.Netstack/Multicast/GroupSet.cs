using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>The groups that an interface listens to, each counted by the sockets that joined it. Any thread.</summary>
public sealed class GroupSet
{
    /// <summary>How many groups an interface may listen to.</summary>
    public const int MaxGroups = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<IpAddress, int> _groups = []; // guarded by _lock

    /// <summary>Who tells the link of changes; null where there is nobody to tell.</summary>
    internal GroupReports? Reports { get; init; }

    /// <summary>The groups and how many joined each. A snapshot.</summary>
    public IReadOnlyList<KeyValuePair<IpAddress, int>> List
    {
        get
        {
            lock (_lock)
            {
                return [.. _groups];
            }
        }
    }

    /// <summary>Whether packets to a group are taken. All hosts and, for IPv6, all nodes always are.</summary>
    public bool Contains(IpAddress group)
    {
        if (group == AllHostsV4 || group == AllNodesV6)
        {
            return true;
        }

        lock (_lock)
        {
            return _groups.ContainsKey(group);
        }
    }

    /// <summary>Joins a group.</summary>
    /// <returns>NoBufferSpace.</returns>
    public NetError Join(IpAddress group)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(group, out int count) && _groups.Count >= MaxGroups)
            {
                return NetError.NoBufferSpace;
            }

            _groups[group] = count + 1;
            if (count == 0 && IsReported(group))
            {
                Reports?.OnJoined(group);
            }

            return NetError.None;
        }
    }

    /// <summary>Leaves a group.</summary>
    /// <returns>AddressNotAvailable if it was not joined.</returns>
    public NetError Leave(IpAddress group)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(group, out int count))
            {
                return NetError.AddressNotAvailable;
            }

            if (count > 1)
            {
                _groups[group] = count - 1;
            }
            else
            {
                _ = _groups.Remove(group);
                if (IsReported(group))
                {
                    Reports?.OnLeft(group);
                }
            }

            return NetError.None;
        }
    }

    // Everybody listens to some groups, and others are of this host alone (RFC 3376 section 4, RFC 3810 section 6).
    private static bool IsReported(IpAddress group)
    {
        if (group.IsV4)
        {
            return group != AllHostsV4;
        }

        Span<byte> bytes = stackalloc byte[16];
        group.WriteV6To(bytes);
        return group != AllNodesV6 && (bytes[1] & 0xf) > 1;
    }

    private static IpAddress AllHostsV4 { get; } = IpAddress.FromV4(0xe000_0001);

    private static IpAddress AllNodesV6 { get; } = IpAddress.Parse("ff02::1");
}
