namespace Moat.Oci;

/// <summary>A rule about devices.</summary>
public sealed record OciDeviceRule
{
    /// <summary>Whether it allows.</summary>
    public bool Allow { get; init; }

    /// <summary>a, c or b; null for all.</summary>
    public string? Type { get; init; }

    /// <summary>Major number; null for all.</summary>
    public long? Major { get; init; }

    /// <summary>Minor number; null for all.</summary>
    public long? Minor { get; init; }

    /// <summary>Out of r, w, m; null for all.</summary>
    public string? Access { get; init; }
}
