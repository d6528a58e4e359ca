namespace Moat.Kernel.Credentials;

/// <summary>A set of capabilities (capabilities(7)).</summary>
/// <param name="Bits">Bit n for capability n.</param>
public readonly record struct CapabilitySet(ulong Bits)
{
    /// <summary>Every capability the kernel knows.</summary>
    public static readonly CapabilitySet Full = new((1UL << ((int)Capability.CAP_CHECKPOINT_RESTORE + 1)) - 1);

    /// <summary>Whether <paramref name="capability"/> is in it.</summary>
    public bool Contains(Capability capability) => (Bits & (1UL << (int)capability)) != 0;

    public static CapabilitySet operator |(CapabilitySet left, CapabilitySet right) => new(left.Bits | right.Bits);

    public static CapabilitySet operator &(CapabilitySet left, CapabilitySet right) => new(left.Bits & right.Bits);

    public static CapabilitySet operator ~(CapabilitySet set) => new(~set.Bits & Full.Bits);
}
