using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Nat;

/// <summary>What addresses and ports may be changed to.</summary>
/// <param name="Flags">Which members count.</param>
/// <param name="MinAddress">The first address.</param>
/// <param name="MaxAddress">The last address.</param>
/// <param name="MinPort">The first port, or identifier of an echo.</param>
/// <param name="MaxPort">The last port.</param>
public readonly record struct NatRange(NatFlags Flags, IpAddress MinAddress, IpAddress MaxAddress, ushort MinPort, ushort MaxPort)
{
    /// <summary>The port that the first port stands for.</summary>
    public ushort BasePort { get; init; }

    /// <summary>One address.</summary>
    public static NatRange Of(IpAddress address) => new(NatFlags.Addresses, address, address, 0, 0);

    /// <summary>One address and one port.</summary>
    public static NatRange Of(IpEndpoint endpoint) => new(NatFlags.Addresses | NatFlags.Ports, endpoint.Address, endpoint.Address, endpoint.Port, endpoint.Port);

    /// <summary>Whether it has a flag.</summary>
    public bool Has(NatFlags flag) => (Flags & flag) != 0;

    /// <summary>Whether an address needs no change.</summary>
    public bool Contains(IpAddress address) => !Has(NatFlags.Addresses) || (address.Value >= MinAddress.Value && address.Value <= MaxAddress.Value);

    /// <summary>Whether a port needs no change.</summary>
    public bool Contains(ushort port) => !Has(NatFlags.Ports) || (port >= MinPort && port <= MaxPort);
}
