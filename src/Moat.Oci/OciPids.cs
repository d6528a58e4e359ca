namespace Moat.Oci;

/// <summary>The limit of tasks.</summary>
/// <param name="Limit">How many; 0 and below for no limit.</param>
public sealed record OciPids(long Limit);
