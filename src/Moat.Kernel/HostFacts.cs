namespace Moat.Kernel;

/// <summary>What the kernel was told about the host before it was shut in.</summary>
public sealed record HostFacts
{
    /// <summary>How many processors the sandbox shows and uses.</summary>
    public required int ProcessorCount { get; init; }

    /// <summary>How much memory the sandbox may use, in bytes: its limit, or the host's total.</summary>
    public required ulong MemoryBytes { get; init; }

    /// <summary>How many tasks there may be.</summary>
    public int TaskLimit { get; init; } = SentryKernel.MaxTasks;

    /// <summary>CLOCK_REALTIME when the sandbox booted, in nanoseconds.</summary>
    public required long BootRealtimeNs { get; init; }

    /// <summary>CLOCK_MONOTONIC when the sandbox booted, in nanoseconds.</summary>
    public required long BootMonotonicNs { get; init; }
}
