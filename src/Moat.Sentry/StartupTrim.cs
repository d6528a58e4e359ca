using Moat.Host;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;

namespace Moat.Sentry;

/// <summary>Gives back what starting took, once, when the sandbox first rests for a second: most that are idle wait for something from then on.</summary>
internal sealed class StartupTrim(SentryKernel kernel) : KernelTimer(kernel.Timers)
{
    private const long PeriodNs = 1_000_000_000;
    private const long RestingNs = PeriodNs / 50; // of processor time in a period
    private const int MaxTries = 30; // after that it is no sandbox that idles

    private int _tries;
    private long _usedNs;

    /// <summary>The first process runs.</summary>
    public void Begin() => Arm(kernel.Clock.MonotonicNs + PeriodNs);

    /// <inheritdoc/>
    protected override void OnExpired()
    {
        long before = _usedNs;
        _usedNs = 0;
        lock (kernel.TaskLock)
        {
            foreach (ThreadGroup process in kernel.Pids.ListProcesses())
            {
                _usedNs += process.CpuNs;
            }
        }

        // Of those that have ended nothing is counted any more: less than before is work, too.
        if (_usedNs - before is >= 0 and < RestingNs)
        {
            StartupMemory.Release();
        }
        else if (++_tries < MaxTries)
        {
            Begin();
        }
    }
}
