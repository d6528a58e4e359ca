using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>A timer of timer_create(2). Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
/// <param name="group">Whose it is.</param>
/// <param name="id">Its number there.</param>
/// <param name="clock">The clock.</param>
/// <param name="cpuClock">Which CPU clock, if the clock is one.</param>
/// <param name="notification">What an expiry does.</param>
public sealed class PosixTimer(ThreadGroup group, int id, GuestClock clock, CpuClock cpuClock, in TimerNotification notification) : ClockTimer(group.Kernel, clock)
{
    private readonly TimerNotification _notification = notification;

    /// <summary>Its number.</summary>
    public int Id => id;

    /// <summary>timer_getoverrun(2): of the last signal that was delivered.</summary>
    public int Overrun { get; private set; }

    /// <summary>Whether it is checked against CPU time.</summary>
    internal bool IsCpuTimer => Clock is GuestClock.ProcessCpu or GuestClock.ThreadCpu;

    /// <summary>Whether it waits for a task that has ended.</summary>
    internal bool IsOrphan => cpuClock.Task is { HasEnded: true };

    /// <inheritdoc/>
    protected override long NowNs => IsCpuTimer ? cpuClock.NowNs : base.NowNs;

    /// <summary>timer_settime(2): signals of the former setting are taken back.</summary>
    public void SetTime(long valueNs, long intervalNs, bool absolute)
    {
        TakeBack();
        Overrun = 0;
        Set(valueNs, intervalNs, absolute);
    }

    /// <summary>Disarms it and takes its signal back.</summary>
    public void Delete()
    {
        Set(0, 0, absolute: false);
        TakeBack();
    }

    /// <summary>Its signal is taken from the queue: tells how many expiries it stands for, and runs on.</summary>
    internal void OnDelivered(ref SignalInfo info)
    {
        long count = Forward();
        if (count > 0)
        {
            Overrun = (int)Math.Min(count - 1, int.MaxValue);
            info = info.WithOverrun(Overrun);
        }
    }

    /// <summary>An expiry whose signal was ignored had nobody to run the timer on: does so.</summary>
    internal void RunOnIfForgotten()
    {
        if (HasExpired && IntervalNs > 0 && !Queue.ContainsTimer(id))
        {
            Forward();
        }
    }

    /// <summary>Looks at its CPU clock.</summary>
    /// <returns>How much CPU time is left, or <see cref="long.MaxValue"/> if it waits for nothing.</returns>
    internal long CheckCpu()
    {
        if (ExpiryNs != 0 && !HasExpired && NowNs >= ExpiryNs && TakeExpiry())
        {
            Notify();
        }

        return ExpiryNs == 0 || HasExpired || IsOrphan ? long.MaxValue : Math.Max(1, ExpiryNs - NowNs);
    }

    /// <inheritdoc/>
    protected internal override void OnExpired()
    {
        lock (group.Kernel.TaskLock)
        {
            if (!IsCpuTimer && TakeExpiry())
            {
                Notify();
            }
        }
    }

    /// <inheritdoc/>
    protected override void Start(long now)
    {
        if (IsCpuTimer)
        {
            group.Timers.ScheduleCpuCheck();
        }
        else
        {
            base.Start(now);
        }
    }

    private SignalQueue Queue => _notification.Task?.Signals.Queue ?? group.SharedSignals;

    private void Notify()
    {
        if (_notification.Signal == Signal.None)
        {
            return; // SIGEV_NONE: timer_gettime(2) asks
        }

        SignalSender.SendFromTimer(group, _notification.Task, SignalInfo.FromTimer(_notification.Signal, id, _notification.Value ?? (uint)id));
    }

    private void TakeBack() => Queue.RemoveTimer(id);
}
