namespace Moat.Oci;

/// <summary>A limit of huge pages.</summary>
/// <param name="PageSize">Such as 2MB.</param>
/// <param name="Limit">Bytes.</param>
public sealed record OciHugepageLimit(string PageSize, ulong Limit);
