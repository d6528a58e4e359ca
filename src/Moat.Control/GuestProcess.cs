namespace Moat.Control;

/// <summary>A process in a sandbox, as ps shows it.</summary>
public sealed record GuestProcess
{
    /// <summary>User id in the container.</summary>
    public required uint Uid { get; init; }

    /// <summary>Process id in the container.</summary>
    public required int Pid { get; init; }

    /// <summary>Its parent's.</summary>
    public required int ParentPid { get; init; }

    /// <summary>When it started, in seconds since 1970.</summary>
    public required long StartTimeSeconds { get; init; }

    /// <summary>Processor time that it used, in milliseconds.</summary>
    public required long CpuTimeMs { get; init; }

    /// <summary>Its terminal, such as pts/0; ? without one.</summary>
    public required string Terminal { get; init; }

    /// <summary>Its name.</summary>
    public required string Command { get; init; }
}
