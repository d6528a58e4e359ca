namespace Moat.Oci;

/// <summary>The part of a configuration that is specific to Linux.</summary>
public sealed record OciLinux
{
    /// <summary>User id mappings of a new user namespace.</summary>
    public IReadOnlyList<OciIdMapping> UidMappings { get; init => field = value ?? []; } = [];

    /// <summary>Group id mappings of a new user namespace.</summary>
    public IReadOnlyList<OciIdMapping> GidMappings { get; init => field = value ?? []; } = [];

    /// <summary>Values of /proc/sys in the container, by dotted name.</summary>
    public IReadOnlyDictionary<string, string> Sysctl { get; init => field = value ?? EmptyMap.Instance; } = EmptyMap.Instance;

    /// <summary>Limits.</summary>
    public OciResources? Resources { get; init; }

    /// <summary>Where in the cgroup hierarchies; null or empty for a place of the runtime's choice.</summary>
    public string? CgroupsPath { get; init; }

    /// <summary>The namespaces that the container has for itself, or joins.</summary>
    public IReadOnlyList<OciNamespace> Namespaces { get; init => field = value ?? []; } = [];

    /// <summary>Device nodes to make.</summary>
    public IReadOnlyList<OciDevice> Devices { get; init => field = value ?? []; } = [];

    /// <summary>The filter of system calls.</summary>
    public OciSeccomp? Seccomp { get; init; }

    /// <summary>The propagation type of the root mount.</summary>
    public string? RootfsPropagation { get; init; }

    /// <summary>Paths that cannot be read in the container.</summary>
    public IReadOnlyList<string> MaskedPaths { get; init => field = value ?? []; } = [];

    /// <summary>Paths that cannot be written in the container.</summary>
    public IReadOnlyList<string> ReadonlyPaths { get; init => field = value ?? []; } = [];

    /// <summary>A SELinux label for mounts.</summary>
    public string? MountLabel { get; init; }

    /// <summary>Members that this version does not know; see <see cref="IgnoredSettings"/>.</summary>
    [System.Text.Json.Serialization.JsonExtensionData]
    public Dictionary<string, System.Text.Json.JsonElement>? Unknown { get; set; }

    /// <summary>The namespace of a type, or null if the container shares the runtime's.</summary>
    public OciNamespace? FindNamespace(string type)
    {
        foreach (OciNamespace candidate in Namespaces)
        {
            if (candidate.Type == type)
            {
                return candidate;
            }
        }

        return null;
    }
}
