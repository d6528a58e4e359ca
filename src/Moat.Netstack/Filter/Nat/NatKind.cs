namespace Moat.Netstack.Filter.Nat;

/// <summary>What a rule changes, and what to.</summary>
public enum NatKind
{
    /// <summary>The source, to what the rule says.</summary>
    Source,

    /// <summary>The destination, to what the rule says.</summary>
    Destination,

    /// <summary>The source, to the address of the interface that the packet leaves through.</summary>
    Masquerade,

    /// <summary>The destination, to this machine.</summary>
    Redirect,
}
