using Moat.Kernel.Time;

namespace Moat.Kernel.Tasks;

/// <summary>How many tasks have been running, averaged over 1, 5 and 15 minutes (proc(5), getloadavg(3)).</summary>
/// <remarks>No thread samples: whoever reads brings it up to date with the processor time that tasks have used since the last read, which is the mean number of those that ran.
/// Tasks that waited for a processor do not count.</remarks>
/// <param name="kernel">The kernel.</param>
public sealed class LoadAverage(SentryKernel kernel)
{
    private const long SpanNs = 1_000_000_000; // shorter spans say little

    private long _readNs = kernel.Facts.BootMonotonicNs; // guarded by the task lock, as all below
    private long _cpuNs;
    private double _one;
    private double _five;
    private double _fifteen;

    /// <summary>The averages now.</summary>
    public (double One, double Five, double Fifteen) Read()
    {
        lock (kernel.TaskLock)
        {
            long now = kernel.Clock.MonotonicNs;
            long span = now - _readNs;
            if (span >= SpanNs)
            {
                CpuTimes cpu = default;
                foreach (ThreadGroup process in kernel.Pids.ListProcesses())
                {
                    cpu += process.CpuTimes + process.ChildrenCpuTimes;
                }

                long used = cpu.UserNs + cpu.SystemNs;
                double running = (double)Math.Max(0, used - _cpuNs) / span; // less than before where a process took its children's times with it
                double minutes = span / 60e9;
                (_one, _five, _fifteen) = (Decay(_one, running, minutes), Decay(_five, running, minutes / 5), Decay(_fifteen, running, minutes / 15));
                (_readNs, _cpuNs) = (now, used);
            }

            return (_one, _five, _fifteen);
        }
    }

    private static double Decay(double average, double running, double spans)
    {
        double kept = Math.Exp(-spans);
        return (average * kept) + (running * (1 - kept));
    }
}
