using Moat.Netstack.Wire;

namespace Moat.Netstack.Interfaces;

/// <summary>An address of an interface.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Bits that its network shares.</param>
/// <param name="Broadcast">The broadcast address of its network, or null.</param>
public sealed record InterfaceAddress(IpAddress Address, int PrefixLength, IpAddress? Broadcast)
{
    /// <summary>IFA_F_*: permanent, tentative, deprecated.</summary>
    public uint Flags { get; init; }

    /// <summary>Its name in old tools, or null for the interface's.</summary>
    public string? Label { get; init; }
}
