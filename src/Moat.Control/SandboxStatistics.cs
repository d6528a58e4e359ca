namespace Moat.Control;

/// <summary>What a sandbox uses, as its kernel counts it.</summary>
public sealed record SandboxStatistics
{
    /// <summary>Processor time of application code, in nanoseconds.</summary>
    public long CpuUserNs { get; init; }

    /// <summary>Processor time spent for it in the kernel, in nanoseconds.</summary>
    public long CpuSystemNs { get; init; }

    /// <summary>Memory of applications, tmpfs and page caches, in bytes.</summary>
    public long MemoryUsageBytes { get; init; }

    /// <summary>Tasks.</summary>
    public int TaskCount { get; init; }
}
