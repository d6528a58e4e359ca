namespace Moat.Filesystems.Cgroup;

/// <summary>What the container's configuration allows it; null for no limit.</summary>
/// <param name="MemoryBytes">Memory.</param>
/// <param name="CpuQuotaUs">Processor time in microseconds of each period.</param>
/// <param name="CpuPeriodUs">The period in microseconds.</param>
/// <param name="Tasks">Tasks.</param>
public sealed record CgroupLimits(long? MemoryBytes, long? CpuQuotaUs, ulong CpuPeriodUs, long? Tasks);
