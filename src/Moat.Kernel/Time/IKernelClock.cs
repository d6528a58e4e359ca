namespace Moat.Kernel.Time;

/// <summary>The host's clocks, in nanoseconds. Any thread.</summary>
public interface IKernelClock
{
    /// <summary>CLOCK_MONOTONIC.</summary>
    long MonotonicNs { get; }

    /// <summary>CLOCK_REALTIME, since 1970.</summary>
    long RealtimeNs { get; }

    /// <summary>CLOCK_BOOTTIME.</summary>
    long BoottimeNs { get; }
}
