using Moat.Kernel;
using Moat.Kernel.Tasks;

namespace Moat.Filesystems.Proc;

/// <summary>How many tasks there are and what they have used.</summary>
internal readonly record struct ProcessCounts(int Threads, int Running, int LastPid, long Created, long UserNs, long SystemNs)
{
    /// <summary>Counts now.</summary>
    public static ProcessCounts Of(SentryKernel kernel)
    {
        int threads = 0;
        int running = 0;
        long cpuNs = 0;
        lock (kernel.TaskLock)
        {
            foreach (ThreadGroup process in kernel.Pids.ListProcesses())
            {
                threads += process.Tasks.Count;
                cpuNs += process.EndedCpuNs;
                foreach (GuestTask task in process.Tasks)
                {
                    running += task.IsBlocked ? 0 : 1;
                    cpuNs += task.CpuNs;
                }
            }
        }

        return new ProcessCounts(threads, running, kernel.Pids.LastPid, kernel.Created, cpuNs, 0);
    }
}
