using Moat.Oci;

namespace Moat.Runtime;

/// <summary>What create and run are given.</summary>
public sealed record CreateOptions
{
    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    /// <summary>The bundle's absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>Its configuration, validated.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>Where the terminal's master is sent; null for nowhere.</summary>
    public string? ConsoleSocket { get; init; }

    /// <summary>Gets the Sentry's pid; null for none.</summary>
    public string? PidFile { get; init; }

    /// <summary>How many descriptors from 3 on the process inherits.</summary>
    public int PreservedFds { get; init; }

    /// <summary>Whether the sandbox ends when the command that makes it does, however that ends.</summary>
    public bool EndsWithCaller { get; init; }

    /// <summary>Whether nobody waits for the container.</summary>
    public bool IsDetached { get; init; }
}
