using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>ITIMER_REAL and alarm(2). Guarded by <see cref="SentryKernel.TaskLock"/>. An interval goes on when its signal is taken.</summary>
/// <param name="group">The process.</param>
public sealed class RealIntervalTimer(ThreadGroup group) : ClockTimer(group.Kernel, GuestClock.Monotonic)
{
    /// <inheritdoc/>
    protected internal override void OnExpired()
    {
        lock (group.Kernel.TaskLock)
        {
            if (TakeExpiry())
            {
                SignalSender.SendToProcess(group, SignalInfo.FromKernel(Signal.SIGALRM));
                if (IntervalNs == 0)
                {
                    Forward();
                }
            }
        }
    }
}
