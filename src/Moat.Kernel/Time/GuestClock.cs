namespace Moat.Kernel.Time;

/// <summary>The clocks a timer can follow (clock_gettime(2)).</summary>
public enum GuestClock
{
    Realtime,
    Monotonic,
    Boottime,

    /// <summary>The CPU time of a process; its timers are checked by <see cref="Tasks.ProcessTimers"/>.</summary>
    ProcessCpu,

    /// <summary>The CPU time of one task.</summary>
    ThreadCpu,
}
