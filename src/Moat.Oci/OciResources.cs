namespace Moat.Oci;

/// <summary>Limits of a container, as cgroups know them.</summary>
public sealed record OciResources
{
    /// <summary>Which devices may be used, in order.</summary>
    public IReadOnlyList<OciDeviceRule> Devices { get; init => field = value ?? []; } = [];

    /// <summary>Memory.</summary>
    public OciMemory? Memory { get; init; }

    /// <summary>Processors.</summary>
    public OciCpu? Cpu { get; init; }

    /// <summary>Number of tasks.</summary>
    public OciPids? Pids { get; init; }

    /// <summary>Block devices.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("blockIO")]
    public OciBlockIo? BlockIo { get; init; }

    /// <summary>Huge pages.</summary>
    public IReadOnlyList<OciHugepageLimit> HugepageLimits { get; init => field = value ?? []; } = [];

    /// <summary>Files of cgroup v2 and what to write to them.</summary>
    public IReadOnlyDictionary<string, string> Unified { get; init => field = value ?? EmptyMap.Instance; } = EmptyMap.Instance;

    /// <summary>Members that this version does not know; see <see cref="IgnoredSettings"/>.</summary>
    [System.Text.Json.Serialization.JsonExtensionData]
    public Dictionary<string, System.Text.Json.JsonElement>? Unknown { get; set; }
}
