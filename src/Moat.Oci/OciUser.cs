namespace Moat.Oci;

/// <summary>Who a process runs as.</summary>
public sealed record OciUser
{
    /// <summary>User id in the container.</summary>
    public uint Uid { get; init; }

    /// <summary>Group id in the container.</summary>
    public uint Gid { get; init; }

    /// <summary>The file mode creation mask; null for 0022.</summary>
    public uint? Umask { get; init; }

    /// <summary>Supplementary groups.</summary>
    public IReadOnlyList<uint> AdditionalGids { get; init => field = value ?? []; } = [];

    /// <summary>A name, used on other systems than Linux.</summary>
    public string? Username { get; init; }
}
