namespace Moat.Netstack.Filter;

/// <summary>How a packet is refused.</summary>
public enum RejectKind
{
    /// <summary>An ICMP error, destination unreachable.</summary>
    Unreachable,

    /// <summary>A TCP reset.</summary>
    Reset,
}
