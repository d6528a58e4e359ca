namespace Moat.Oci;

/// <summary>A container's configuration: <c>config.json</c> of the OCI runtime specification 1.0 to 1.2.</summary>
/// <remarks>Lists and maps are never null: an absent or null member is an empty one, as other runtimes read it.</remarks>
public sealed record OciSpec
{
    /// <summary>The version of the specification that the bundle follows.</summary>
    public string OciVersion { get; init => field = value ?? ""; } = "";

    /// <summary>The process to start; may be absent from a bundle that is only created.</summary>
    public OciProcess? Process { get; init; }

    /// <summary>The root filesystem.</summary>
    public OciRoot? Root { get; init; }

    /// <summary>The host name seen in the container.</summary>
    public string? Hostname { get; init; }

    /// <summary>The NIS domain name seen in the container.</summary>
    public string? Domainname { get; init; }

    /// <summary>Mounts, in the order in which they are made.</summary>
    public IReadOnlyList<OciMount> Mounts { get; init => field = value ?? []; } = [];

    /// <summary>Programs to run at points of the container's life.</summary>
    public OciHooks? Hooks { get; init; }

    /// <summary>Free-form facts.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init => field = value ?? EmptyMap.Instance; } = EmptyMap.Instance;

    /// <summary>What is specific to Linux.</summary>
    public OciLinux? Linux { get; init; }

    /// <summary>Members that this version does not know; see <see cref="IgnoredSettings"/>.</summary>
    [System.Text.Json.Serialization.JsonExtensionData]
    public Dictionary<string, System.Text.Json.JsonElement>? Unknown { get; set; }
}
