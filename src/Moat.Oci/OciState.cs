namespace Moat.Oci;

/// <summary>A container's state as <c>state</c> prints it and hooks read it.</summary>
public sealed record OciState
{
    /// <summary>The version of the specification that this follows.</summary>
    public string OciVersion { get; init; } = SpecVersions.Newest;

    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    /// <summary>creating, created, running, paused or stopped.</summary>
    public required string Status { get; init; }

    /// <summary>The sandbox's process on the host; absent once it is gone.</summary>
    public int? Pid { get; init; }

    /// <summary>The bundle's absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>The configuration's annotations.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
