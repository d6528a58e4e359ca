using System.Text.Json.Serialization;

namespace Runsc.Commands;

/// <summary>A line of <c>events</c>, with runc's names.</summary>
internal sealed record StatsEvent(string Type, string Id, StatsData Data);

/// <summary>The counts in it.</summary>
internal sealed record StatsData(StatsCpu Cpu, StatsMemory Memory, StatsPids Pids);

/// <summary>Processor time.</summary>
internal sealed record StatsCpu(StatsCpuUsage Usage);

/// <summary>Processor time in nanoseconds.</summary>
internal sealed record StatsCpuUsage(ulong Total, ulong Kernel, ulong User);

/// <summary>Memory.</summary>
internal sealed record StatsMemory(StatsMemoryUsage Usage);

/// <summary>Memory in bytes.</summary>
internal sealed record StatsMemoryUsage(ulong Usage);

/// <summary>Tasks.</summary>
internal sealed record StatsPids(ulong Current);
