namespace Moat.Oci;

/// <summary>A condition on an argument of a system call.</summary>
/// <param name="Index">Which: 0 to 5.</param>
/// <param name="Value">What it is compared with; the mask of SCMP_CMP_MASKED_EQ.</param>
/// <param name="ValueTwo">What the masked argument must be.</param>
/// <param name="Op">SCMP_CMP_EQ, …</param>
public sealed record OciSeccompArgument(uint Index, ulong Value, ulong ValueTwo, string? Op);
