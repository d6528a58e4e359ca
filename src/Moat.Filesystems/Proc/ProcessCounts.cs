using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;

namespace Moat.Filesystems.Proc;

/// <summary>How many tasks there are and what they have used.</summary>
internal readonly record struct ProcessCounts(int Threads, int Running, long Created, long Switches, CpuTimes Cpu)
{
    /// <summary>Counts now.</summary>
    public static ProcessCounts Of(SentryKernel kernel)
    {
        lock (kernel.TaskLock)
        {
            return Of(kernel, kernel.Pids.ListProcesses());
        }
    }

    /// <summary>Counts a container's now.</summary>
    public static ProcessCounts Of(GuestContainer container)
    {
        lock (container.Kernel.TaskLock)
        {
            return Of(container.Kernel, container.ListProcesses());
        }
    }

    private static ProcessCounts Of(SentryKernel kernel, IReadOnlyList<ThreadGroup> processes)
    {
        int threads = 0;
        int running = 0;
        long switches = 0;
        CpuTimes cpu = default;
        foreach (ThreadGroup process in processes)
        {
            threads += process.Tasks.Count;
            cpu += process.CpuTimes + process.ChildrenCpuTimes;
            switches += process.SumUsage().VoluntarySwitches + process.ChildrenUsage.VoluntarySwitches;
            foreach (GuestTask task in process.Tasks)
            {
                running += task.IsBlocked ? 0 : 1;
            }
        }

        return new ProcessCounts(threads, running, kernel.Created, switches, cpu);
    }
}
