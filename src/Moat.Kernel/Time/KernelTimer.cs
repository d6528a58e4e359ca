namespace Moat.Kernel.Time;

/// <summary>Something that is to happen at a time. It is a node of the queue itself, so that arming and expiry allocate nothing.</summary>
/// <param name="service">The queue that it is armed in.</param>
public abstract class KernelTimer(TimerService service)
{
    /// <summary>Its place in the queue, or -1. Guarded by the service's lock.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>When it expires, monotonic. Guarded by the service's lock.</summary>
    internal long DeadlineNs { get; set; }

    /// <summary>Arms it, or moves it. It expires once. Any thread; the caller may hold any lock.</summary>
    /// <param name="deadlineNs">Monotonic time in nanoseconds; what has passed expires at once, on the service's thread.</param>
    public void Arm(long deadlineNs) => service.Arm(this, deadlineNs);

    /// <summary>Takes it out of the queue. An expiry that has begun may still run: <see cref="OnExpired"/> checks under its owner's lock whether it is wanted.</summary>
    public void Disarm() => service.Disarm(this);

    /// <summary>Its time has come. Runs on the service's thread without locks, must not block for long, and may come late or after <see cref="Disarm"/>.</summary>
    protected internal abstract void OnExpired();
}
