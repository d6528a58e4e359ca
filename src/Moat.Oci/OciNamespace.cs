namespace Moat.Oci;

/// <summary>A namespace of the container.</summary>
public sealed record OciNamespace
{
    /// <summary>pid, network, mount, ipc, uts, user, cgroup or time.</summary>
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>A namespace file to join; empty for a new one.</summary>
    public string Path { get; init => field = value ?? ""; } = "";
}
