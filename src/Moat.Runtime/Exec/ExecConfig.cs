using Moat.Oci;

namespace Moat.Runtime.Exec;

/// <summary>What a detached exec tells the process that stands for the new process on the host: JSON, on descriptor 3.</summary>
public sealed record ExecConfig
{
    /// <summary>The descriptor of the configuration.</summary>
    public const int Descriptor = 3;

    /// <summary>Where the answer goes: one line if it failed, nothing if the process runs; closed after it.</summary>
    public const int ReadyDescriptor = 4;

    /// <summary>The container.</summary>
    public required string Id { get; init; }

    /// <summary>The process.</summary>
    public required OciProcess Process { get; init; }

    /// <summary>How many descriptors from 5 on the process inherits as 3 and so on.</summary>
    public required int PreservedFds { get; init; }

    /// <summary>Gets the process id in the container; null for none.</summary>
    public string? InternalPidFile { get; init; }
}
