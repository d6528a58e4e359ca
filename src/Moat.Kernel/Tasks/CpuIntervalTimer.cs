using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>ITIMER_VIRTUAL and ITIMER_PROF (setitimer(2)). Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
/// <param name="group">The process.</param>
/// <param name="signal">What it sends.</param>
/// <param name="userOnly">Whether it counts application code alone.</param>
public sealed class CpuIntervalTimer(ThreadGroup group, Signal signal, bool userOnly)
{
    private long _expiryNs; // in CPU time; 0: not set

    /// <summary>The interval, or 0.</summary>
    public long IntervalNs { get; private set; }

    /// <summary>CPU time until it expires; <see cref="long.MaxValue"/> if it is not set.</summary>
    public long RemainingNs => _expiryNs == 0 ? long.MaxValue : Math.Max(1, _expiryNs - UsedNs);

    private long UsedNs => new CpuClock(group, null, userOnly).NowNs;

    /// <summary>Sets it; a value of 0 disarms it.</summary>
    public void Set(long valueNs, long intervalNs)
    {
        IntervalNs = intervalNs;
        long used = UsedNs;
        _expiryNs = valueNs == 0 ? 0 : valueNs >= long.MaxValue - used ? long.MaxValue : used + valueNs;
        group.Timers.ScheduleCpuCheck();
    }

    /// <summary>Sends the signal if it is due.</summary>
    internal void Check()
    {
        long used = _expiryNs == 0 ? 0 : UsedNs;
        if (_expiryNs == 0 || used < _expiryNs)
        {
            return;
        }

        _expiryNs = IntervalNs == 0 ? 0 : IntervalNs >= long.MaxValue - used ? long.MaxValue : used + IntervalNs - ((used - _expiryNs) % IntervalNs);
        SignalSender.SendToProcess(group, SignalInfo.FromKernel(signal));
    }
}
