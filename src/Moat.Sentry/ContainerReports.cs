using Moat.Control;
using Moat.Kernel.Tasks;

namespace Moat.Sentry;

/// <summary>What a container's processes are and use, for whoever asks from outside.</summary>
internal static class ContainerReports
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>Its processes.</summary>
    public static List<GuestProcess> ListProcesses(GuestContainer container)
    {
        List<GuestProcess> list = [];
        long now = container.Kernel.Clock.MonotonicNs;
        long nowSeconds = container.Kernel.Clock.RealtimeNs / NanosecondsPerSecond;
        lock (container.Kernel.TaskLock)
        {
            foreach (ThreadGroup process in container.ListProcesses())
            {
                list.Add(new GuestProcess
                {
                    Uid = process.Leader.Credentials.EffectiveUid,
                    Pid = process.Id.In(container.Pids),
                    ParentPid = process.Parent?.Id.In(container.Pids) ?? 0,
                    StartTimeSeconds = nowSeconds - ((now - process.StartNs) / NanosecondsPerSecond),
                    CpuTimeMs = process.CpuNs / NanosecondsPerMillisecond,
                    Terminal = JobControl.TerminalOf(process) is { } terminal ? $"pts/{terminal.Device.Minor}" : "?",
                    Command = process.Leader.Name,
                });
            }
        }

        return list;
    }

    /// <summary>What it uses. Memory is that of the whole sandbox, but for a container that shares it: what is resident of its own processes.</summary>
    public static SandboxStatistics Count(GuestContainer container, bool isFirst)
    {
        long cpu = 0;
        long resident = 0;
        List<GuestTask> leaders = [];
        lock (container.Kernel.TaskLock)
        {
            foreach (ThreadGroup process in container.ListProcesses())
            {
                cpu += process.CpuNs;
                leaders.Add(process.Leader);
            }
        }

        foreach (GuestTask leader in isFirst ? [] : leaders)
        {
            resident += leader.HasEnded ? 0 : (long)leader.Memory.ResidentBytes;
        }

        return new SandboxStatistics { CpuUserNs = cpu, TaskCount = container.TaskCount, MemoryUsageBytes = isFirst ? (long)container.Kernel.MemoryFile.UsedBytes : resident };
    }
}
