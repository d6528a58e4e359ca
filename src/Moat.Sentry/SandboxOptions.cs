using Moat.Control;
using Moat.Oci;

namespace Moat.Sentry;

/// <summary>What a container of the sandbox is to run, and what it was given for it.</summary>
public sealed record SandboxOptions
{
    /// <summary>The container's id.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The container's configuration, validated.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>The flags that matter inside.</summary>
    public required SandboxFlags Flags { get; init; }

    /// <summary>What was found out about the host.</summary>
    public required BootFacts Facts { get; init; }

    /// <summary>The root, first, and the bind mounts, each with its connection to the Gofer.</summary>
    public required IReadOnlyList<BootMount> Mounts { get; init; }

    /// <summary>The first process's descriptors from 0 on; the sandbox owns them.</summary>
    public required IReadOnlyList<int> Descriptors { get; init; }

    /// <summary>Where the log goes.</summary>
    public required DebugLog Log { get; init; }
}
