using Moat.Oci;

namespace Moat.Runtime.Exec;

/// <summary>What exec is given.</summary>
public sealed record ExecOptions
{
    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    /// <summary>The process.</summary>
    public required OciProcess Process { get; init; }

    /// <summary>Where the terminal's master is sent; null for nowhere.</summary>
    public string? ConsoleSocket { get; init; }

    /// <summary>Gets the pid of the host's process that stands for it; null for none.</summary>
    public string? PidFile { get; init; }

    /// <summary>Gets the process id in the container; null for none.</summary>
    public string? InternalPidFile { get; init; }

    /// <summary>Whether the command ends as soon as the process runs.</summary>
    public bool IsDetached { get; init; }

    /// <summary>How many descriptors from 3 on the process inherits.</summary>
    public int PreservedFds { get; init; }
}
