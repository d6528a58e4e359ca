namespace Moat.Oci;

/// <summary>A rate limit of one block device.</summary>
/// <param name="Major">Major number.</param>
/// <param name="Minor">Minor number.</param>
/// <param name="Rate">Per second.</param>
public sealed record OciThrottle(long Major, long Minor, ulong Rate);
