using Moat.Kernel.Signals;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>RLIMIT_CPU (getrlimit(2)). Under <see cref="SentryKernel.TaskLock"/>.</summary>
internal static class CpuLimit
{
    /// <summary>CPU time until it has something to say; <see cref="long.MaxValue"/> without a limit.</summary>
    public static long RemainingNs(ThreadGroup group)
    {
        ResourceLimit limit = group.Limits.Get(ResourceLimits.Cpu);
        return limit.Current == ResourceLimit.Infinity ? long.MaxValue : Math.Max(1, ToNanoseconds(limit.Current) - group.CpuNs);
    }

    /// <summary>SIGXCPU at the soft limit and every second after, SIGKILL at the hard one.</summary>
    public static void Enforce(ThreadGroup group)
    {
        ResourceLimit limit = group.Limits.Get(ResourceLimits.Cpu);
        if (limit.Current == ResourceLimit.Infinity)
        {
            return;
        }

        long used = group.CpuNs;
        if (limit.Maximum != ResourceLimit.Infinity && used >= ToNanoseconds(limit.Maximum))
        {
            SignalSender.SendToProcess(group, SignalInfo.FromKernel(Signal.SIGKILL));
        }
        else if (used >= ToNanoseconds(limit.Current))
        {
            SignalSender.SendToProcess(group, SignalInfo.FromKernel(Signal.SIGXCPU));
            group.Limits.Set(ResourceLimits.Cpu, limit with { Current = limit.Current + 1 });
        }
    }

    private static long ToNanoseconds(ulong seconds) =>
        seconds >= long.MaxValue / (ulong)Timespec.NanosecondsPerSecond ? long.MaxValue : (long)seconds * Timespec.NanosecondsPerSecond;
}
