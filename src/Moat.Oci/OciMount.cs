namespace Moat.Oci;

/// <summary>A mount in the container.</summary>
public sealed record OciMount
{
    /// <summary>Where, as an absolute path in the container.</summary>
    public string Destination { get; init => field = value ?? ""; } = "";

    /// <summary>The filesystem's type; empty or "none" for bind mounts.</summary>
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>What is mounted: for a bind mount a file of the host, absolute or relative to the bundle.</summary>
    public string Source { get; init => field = value ?? ""; } = "";

    /// <summary>Options as mount(8) writes them.</summary>
    public IReadOnlyList<string> Options { get; init => field = value ?? []; } = [];

    /// <summary>User id mappings of an id-mapped mount.</summary>
    public IReadOnlyList<OciIdMapping> UidMappings { get; init => field = value ?? []; } = [];

    /// <summary>Group id mappings of an id-mapped mount.</summary>
    public IReadOnlyList<OciIdMapping> GidMappings { get; init => field = value ?? []; } = [];

    /// <summary>Members that this version does not know; see <see cref="IgnoredSettings"/>.</summary>
    [System.Text.Json.Serialization.JsonExtensionData]
    public Dictionary<string, System.Text.Json.JsonElement>? Unknown { get; set; }

    /// <summary>Whether a file or directory of the host is mounted.</summary>
    public bool IsBind => Type == "bind" || (Type is "" or "none" && (Options.Contains("bind") || Options.Contains("rbind")));
}
