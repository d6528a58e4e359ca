namespace Moat.Oci;

/// <summary>A resource limit.</summary>
public sealed record OciRlimit
{
    /// <summary>Its name, such as RLIMIT_NOFILE.</summary>
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>The hard limit.</summary>
    public ulong Hard { get; init; }

    /// <summary>The soft limit.</summary>
    public ulong Soft { get; init; }
}
