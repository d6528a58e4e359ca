using Moat.Oci;

namespace Moat.Control;

/// <summary>What the command line tells a running Sentry of another container for its sandbox (<see cref="ControlMethod.Add"/>). Descriptors are numbers of those that come with the request.</summary>
public sealed record ContainerConfig
{
    /// <summary>The container's configuration, validated.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>The flags of the command; those about files count, the others are the sandbox's.</summary>
    public required SandboxFlags Flags { get; init; }

    /// <summary>The root, first, and the bind mounts of the configuration in its order.</summary>
    public required IReadOnlyList<BootMount> Mounts { get; init; }

    /// <summary>The first process's standard input, output and error, then those that it inherits from 3 on. -1 for one that the process does not have.</summary>
    public required IReadOnlyList<int> ProcessFds { get; init; }

    /// <summary>The container of the sandbox whose process ids it shares; null for none.</summary>
    public string? PidsOf { get; init; }

    /// <summary>The container whose System V objects and message queues it shares; null for none.</summary>
    public string? IpcOf { get; init; }

    /// <summary>The container whose host name it shares; null for none.</summary>
    public string? UtsOf { get; init; }
}
