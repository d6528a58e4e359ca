using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>A group that a socket has joined on an interface. Guarded by the lock of its <see cref="GroupMemberships"/>.</summary>
/// <param name="group">The group.</param>
/// <param name="interfaceIndex">The interface.</param>
/// <param name="isIncluding">Whether it is joined for some sources alone.</param>
internal sealed class GroupMembership(IpAddress group, int interfaceIndex, bool isIncluding)
{
    /// <summary>The group.</summary>
    public IpAddress Group => group;

    /// <summary>The interface.</summary>
    public int InterfaceIndex => interfaceIndex;

    /// <summary>Whether it hears of <see cref="Sources"/> alone; otherwise of all others (RFC 3376 section 3.1).</summary>
    public bool IsIncluding { get; private set; } = isIncluding;

    /// <summary>The sources.</summary>
    public HashSet<IpAddress> Sources { get; } = [];

    /// <summary>Makes it one for some sources alone, or for all but some. One without sources yet may become the other.</summary>
    /// <returns>Whether it is that now.</returns>
    public bool TrySwitch(bool isIncluding)
    {
        if (IsIncluding != isIncluding && Sources.Count == 0)
        {
            IsIncluding = isIncluding;
        }

        return IsIncluding == isIncluding;
    }
}
