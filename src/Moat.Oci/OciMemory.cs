namespace Moat.Oci;

/// <summary>Memory limits in bytes; -1 for none.</summary>
public sealed record OciMemory
{
    /// <summary>The limit.</summary>
    public long? Limit { get; init; }

    /// <summary>The soft limit.</summary>
    public long? Reservation { get; init; }

    /// <summary>Limit of memory and swap together.</summary>
    public long? Swap { get; init; }

    /// <summary>0 to 100.</summary>
    public ulong? Swappiness { get; init; }

    /// <summary>Whether the kernel's out-of-memory killer is off.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }
}
