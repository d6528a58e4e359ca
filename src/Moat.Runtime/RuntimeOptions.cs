using Moat.Control;

namespace Moat.Runtime;

/// <summary>What the command line's global flags say about running containers.</summary>
public sealed record RuntimeOptions
{
    /// <summary>Where the state of containers is kept.</summary>
    public required string Root { get; init; }

    /// <summary>Flags for the sandbox.</summary>
    public required SandboxFlags Sandbox { get; init; }

    /// <summary>Whether cgroups are left alone.</summary>
    public bool IgnoreCgroups { get; init; }

    /// <summary>Whether cgroup paths are systemd's (slice:prefix:name).</summary>
    public bool SystemdCgroup { get; init; }

    /// <summary>Whether everything must work without privileges.</summary>
    public bool Rootless { get; init; }

    /// <summary>Opens a debug log for a process with a role (boot, gofer …) of a container; -1 for none.</summary>
    public required Func<string, string, int> OpenDebugLog { get; init; }
}
