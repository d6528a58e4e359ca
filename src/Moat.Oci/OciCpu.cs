namespace Moat.Oci;

/// <summary>Processor limits.</summary>
public sealed record OciCpu
{
    /// <summary>Relative weight, 2 to 262144.</summary>
    public ulong? Shares { get; init; }

    /// <summary>Microseconds of each period; negative for no limit.</summary>
    public long? Quota { get; init; }

    /// <summary>Microseconds beyond the quota that may be saved up.</summary>
    public ulong? Burst { get; init; }

    /// <summary>The period in microseconds.</summary>
    public ulong? Period { get; init; }

    /// <summary>Real-time microseconds of each real-time period.</summary>
    public long? RealtimeRuntime { get; init; }

    /// <summary>The real-time period in microseconds.</summary>
    public ulong? RealtimePeriod { get; init; }

    /// <summary>Processors, such as 0-3,7.</summary>
    public string? Cpus { get; init; }

    /// <summary>Memory nodes.</summary>
    public string? Mems { get; init; }

    /// <summary>SCHED_IDLE for the whole group.</summary>
    public long? Idle { get; init; }
}
