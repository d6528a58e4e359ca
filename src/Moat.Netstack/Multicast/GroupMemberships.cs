using Moat.Netstack.Interfaces;
using Moat.Netstack.Ip;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>The groups that one socket has joined, and of whom it hears in each (ip(7), IP_ADD_MEMBERSHIP and what follows; RFC 3678). Any thread; its lock stands above that of the interface's groups.</summary>
public sealed class GroupMemberships(NetworkStack stack, IpSocketOptions options)
{
    private const int MaxMemberships = 20; // igmp_max_memberships
    private const int MaxSources = 10; // igmp_max_msf

    private readonly Lock _lock = new();
    private readonly List<GroupMembership> _groups = []; // guarded by _lock

    /// <summary>Joins a group for all sources (IP_ADD_MEMBERSHIP).</summary>
    /// <returns>Invalid if it is none, NotFound without an interface, AddressInUse if joined, NoBufferSpace.</returns>
    public NetError Join(IpAddress group, int interfaceIndex)
    {
        NetError error = Resolve(group, interfaceIndex, out NetworkInterface? owner);
        if (error != NetError.None)
        {
            return error;
        }

        lock (_lock)
        {
            return Find(group, owner!.Index) is not null ? NetError.AddressInUse : Add(group, owner, isIncluding: false, out _);
        }
    }

    /// <summary>Leaves a group.</summary>
    /// <returns>Invalid, AddressNotAvailable if it was not joined.</returns>
    public NetError Leave(IpAddress group, int interfaceIndex)
    {
        if (!group.IsMulticast)
        {
            return NetError.Invalid;
        }

        lock (_lock)
        {
            foreach (GroupMembership candidate in _groups)
            {
                if (candidate.Group == group && (interfaceIndex == 0 || interfaceIndex == candidate.InterfaceIndex))
                {
                    Remove(candidate);
                    return NetError.None;
                }
            }

            return NetError.AddressNotAvailable;
        }
    }

    /// <summary>Joins a group for one source more (IP_ADD_SOURCE_MEMBERSHIP).</summary>
    /// <returns>Invalid if it is joined for all but some, AddressNotAvailable if the source is there already, NoBufferSpace, NotFound.</returns>
    public NetError JoinSource(IpAddress group, IpAddress source, int interfaceIndex)
    {
        NetError error = Resolve(group, interfaceIndex, out NetworkInterface? owner);
        if (error != NetError.None)
        {
            return error;
        }

        lock (_lock)
        {
            GroupMembership? membership = Find(group, owner!.Index);
            if (membership is null)
            {
                error = Add(group, owner, isIncluding: true, out membership);
                if (error != NetError.None)
                {
                    return error;
                }
            }

            return membership!.TrySwitch(isIncluding: true) ? AddSource(membership, source) : NetError.Invalid;
        }
    }

    /// <summary>Leaves one source of a group (IP_DROP_SOURCE_MEMBERSHIP); with the last of them, the group.</summary>
    /// <returns>Invalid if it is not joined or joined for all but some, AddressNotAvailable if the source is not there.</returns>
    public NetError LeaveSource(IpAddress group, IpAddress source, int interfaceIndex)
    {
        NetError error = Resolve(group, interfaceIndex, out NetworkInterface? owner);
        if (error != NetError.None)
        {
            return error;
        }

        lock (_lock)
        {
            if (Find(group, owner!.Index) is not { } membership || !membership.TrySwitch(isIncluding: true))
            {
                return NetError.Invalid;
            }

            if (!membership.Sources.Remove(source))
            {
                return NetError.AddressNotAvailable;
            }

            if (membership.Sources.Count == 0)
            {
                Remove(membership);
            }

            return NetError.None;
        }
    }

    /// <summary>Stops or goes on hearing of one source in a group that is joined for all (IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE).</summary>
    /// <returns>Invalid if it is not joined, or for some alone; AddressNotAvailable if it was blocked, or not, already; NoBufferSpace, NotFound.</returns>
    public NetError Block(IpAddress group, IpAddress source, int interfaceIndex, bool blocks)
    {
        NetError error = Resolve(group, interfaceIndex, out NetworkInterface? owner);
        if (error != NetError.None)
        {
            return error;
        }

        lock (_lock)
        {
            if (Find(group, owner!.Index) is not { } membership || !membership.TrySwitch(isIncluding: false))
            {
                return NetError.Invalid;
            }

            return blocks ? AddSource(membership, source) : membership.Sources.Remove(source) ? NetError.None : NetError.AddressNotAvailable;
        }
    }

    /// <summary>Whether a packet to a group is for the socket.</summary>
    public bool Wants(in IpInfo info)
    {
        lock (_lock)
        {
            if (Find(info.Destination, info.Interface.Index) is { } membership)
            {
                return membership.Sources.Contains(info.Source) == membership.IsIncluding;
            }
        }

        return options.Has(info.Destination.IsV4 ? IpFlags.MulticastAll : IpFlags.MulticastAllV6) && info.Interface.Groups.Contains(info.Destination);
    }

    /// <summary>Leaves all of them.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            while (_groups.Count > 0)
            {
                Remove(_groups[^1]);
            }
        }
    }

    private NetError Resolve(IpAddress group, int interfaceIndex, out NetworkInterface? owner)
    {
        owner = null;
        if (!group.IsMulticast)
        {
            return NetError.Invalid;
        }

        owner = stack.FindInterface(interfaceIndex != 0 ? interfaceIndex : stack.Routes.Find(group, 0)?.InterfaceIndex ?? 0);
        return owner is null ? NetError.NotFound : NetError.None;
    }

    private GroupMembership? Find(IpAddress group, int interfaceIndex)
    {
        foreach (GroupMembership candidate in _groups)
        {
            if (candidate.Group == group && candidate.InterfaceIndex == interfaceIndex)
            {
                return candidate;
            }
        }

        return null;
    }

    private NetError Add(IpAddress group, NetworkInterface owner, bool isIncluding, out GroupMembership? added)
    {
        added = null;
        if (_groups.Count >= MaxMemberships)
        {
            return NetError.NoBufferSpace;
        }

        NetError error = owner.Groups.Join(group);
        if (error == NetError.None)
        {
            added = new GroupMembership(group, owner.Index, isIncluding);
            _groups.Add(added);
        }

        return error;
    }

    private void Remove(GroupMembership membership)
    {
        _ = _groups.Remove(membership);
        _ = stack.FindInterface(membership.InterfaceIndex)?.Groups.Leave(membership.Group);
    }

    private static NetError AddSource(GroupMembership membership, IpAddress source)
    {
        if (membership.Sources.Contains(source))
        {
            return NetError.AddressNotAvailable;
        }

        if (membership.Sources.Count >= MaxSources)
        {
            return NetError.NoBufferSpace;
        }

        _ = membership.Sources.Add(source);
        return NetError.None;
    }
}
