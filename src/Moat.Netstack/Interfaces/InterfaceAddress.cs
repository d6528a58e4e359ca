using Moat.Netstack.Wire;

namespace Moat.Netstack.Interfaces;

/// <summary>An address of an interface.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Bits that its network shares.</param>
/// <param name="Broadcast">The broadcast address of its network, or null.</param>
public sealed record InterfaceAddress(IpAddress Address, int PrefixLength, IpAddress? Broadcast)
{
    /// <summary>IFA_F_*: see <see cref="AddressFlags"/>; others are kept.</summary>
    public uint Flags { get; init; }

    /// <summary>Until when it counts: monotonic nanoseconds, or <see cref="long.MaxValue"/>.</summary>
    public long ValidUntilNs { get; init; } = long.MaxValue;

    /// <summary>Until when it is used for new connections.</summary>
    public long PreferredUntilNs { get; init; } = long.MaxValue;

    /// <summary>Whether its network is on the link: not if a router told of it, which says so itself.</summary>
    public bool HasNetworkRoute { get; init; } = true;

    /// <summary>Its name in old tools, or null for the interface's.</summary>
    public string? Label { get; init; }
}
