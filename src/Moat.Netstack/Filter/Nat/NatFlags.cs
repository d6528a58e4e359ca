namespace Moat.Netstack.Filter.Nat;

/// <summary>What a <see cref="NatRange"/> says (NF_NAT_RANGE_*, linux/netfilter/nf_nat.h).</summary>
[Flags]
public enum NatFlags
{
    /// <summary>Nothing: addresses and ports stay, unless two connections would be taken for one another.</summary>
    None = 0,

    /// <summary>The address is to be in a range.</summary>
    Addresses = 1,

    /// <summary>The port is to be in a range.</summary>
    Ports = 2,

    /// <summary>The port is chosen at random.</summary>
    Random = 4,

    /// <summary>A host always gets the same address.</summary>
    Persistent = 8,

    /// <summary>The port is chosen at random, whatever it was.</summary>
    FullyRandom = 16,

    /// <summary>The port keeps its distance from <see cref="NatRange.BasePort"/>.</summary>
    PortOffset = 32,

    /// <summary>The address keeps its bits behind the range's prefix.</summary>
    Prefix = 64,
}
