using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>The groups that an interface listens to, each counted by the sockets that joined it. Any thread.</summary>
public sealed class GroupSet
{
    /// <summary>How many groups an interface may listen to.</summary>
    public const int MaxGroups = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<IpAddress, int> _groups = []; // guarded by _lock

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
            }

            return NetError.None;
        }
    }

    private static IpAddress AllHostsV4 { get; } = IpAddress.FromV4(0xe000_0001);

    private static IpAddress AllNodesV6 { get; } = IpAddress.Parse("ff02::1");
}
