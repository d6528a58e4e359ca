namespace Moat.Oci;

/// <summary>A device node in the container.</summary>
public sealed record OciDevice
{
    /// <summary>c, b, u or p.</summary>
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>Its path in the container.</summary>
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>Major number.</summary>
    public long Major { get; init; }

    /// <summary>Minor number.</summary>
    public long Minor { get; init; }

    /// <summary>Permissions; null for 0666.</summary>
    public uint? FileMode { get; init; }

    /// <summary>Owner.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group.</summary>
    public uint? Gid { get; init; }
}
