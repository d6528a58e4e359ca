namespace Moat.Kernel.Time;

/// <summary>A timer that follows a wall clock, once or at an interval, as timerfd_settime(2), timer_settime(2) and setitimer(2) set one. After an expiry it waits for
/// <see cref="Forward"/> before it runs on: what nobody takes notice of wakes nobody. Guarded by its owner's lock.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="clock">The clock.</param>
public abstract class ClockTimer(SentryKernel kernel, GuestClock clock) : KernelTimer(kernel.Timers)
{
    /// <summary>The clock.</summary>
    public GuestClock Clock { get; } = clock;

    /// <summary>When it expires next by its clock; 0 when it is not set.</summary>
    public long ExpiryNs { get; private set; }

    /// <summary>How often it expires after that; 0 for once.</summary>
    public long IntervalNs { get; private set; }

    /// <summary>Whether its expiry has been seen and <see cref="Forward"/> has not run since.</summary>
    public bool HasExpired { get; private set; }

    /// <summary>The time now by its clock.</summary>
    protected virtual long NowNs => kernel.ReadClock(Clock);

    /// <summary>How long until it expires: 0 if it is not set, at least 1 ns if it is; past expiries of an interval count on.</summary>
    public long RemainingNs
    {
        get
        {
            if (ExpiryNs == 0 || (HasExpired && IntervalNs == 0))
            {
                return 0;
            }

            long left = ExpiryNs - NowNs;
            return left > 0 ? left : IntervalNs == 0 ? 1 : IntervalNs - (-left % IntervalNs);
        }
    }

    /// <summary>Sets it. A value of 0 disarms it.</summary>
    /// <param name="valueNs">When it expires.</param>
    /// <param name="intervalNs">How often after that.</param>
    /// <param name="absolute">Whether the value is a time of its clock, not a distance from now.</param>
    public void Set(long valueNs, long intervalNs, bool absolute)
    {
        HasExpired = false;
        IntervalNs = intervalNs;
        if (valueNs == 0)
        {
            ExpiryNs = 0;
            Disarm();
            return;
        }

        long now = NowNs;
        ExpiryNs = absolute ? valueNs : valueNs >= long.MaxValue - now ? long.MaxValue : now + valueNs;
        Start(now);
    }

    /// <summary>Counts the expiries that have come to pass since the last call (at least one if it <see cref="HasExpired"/>), and runs on if it has an interval.</summary>
    public long Forward()
    {
        if (!HasExpired)
        {
            return 0;
        }

        HasExpired = false;
        if (IntervalNs == 0)
        {
            ExpiryNs = 0;
            return 1;
        }

        long now = NowNs;
        long count = 1 + (Math.Max(0, now - ExpiryNs) / IntervalNs);
        ExpiryNs = ExpiryNs > long.MaxValue - IntervalNs ? long.MaxValue : ExpiryNs + (count * IntervalNs);
        Start(now);
        return count;
    }

    /// <summary>Tells whether an expiry is real; for <see cref="KernelTimer.OnExpired"/>, under the owner's lock.</summary>
    protected bool TakeExpiry()
    {
        if (ExpiryNs == 0 || HasExpired)
        {
            return false;
        }

        long now = NowNs;
        if (now < ExpiryNs)
        {
            Start(now); // set again meanwhile, or the real-time clock went back
            return false;
        }

        HasExpired = true;
        return true;
    }

    /// <summary>Sees to it that <see cref="KernelTimer.OnExpired"/> runs at the expiry.</summary>
    protected virtual void Start(long now)
    {
        long monotonic = kernel.Clock.MonotonicNs;
        long left = Math.Max(0, ExpiryNs - now);
        Arm(left >= long.MaxValue - monotonic ? long.MaxValue : monotonic + left);
    }
}
