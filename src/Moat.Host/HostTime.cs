using System.Runtime.InteropServices;

namespace Moat.Host;

/// <summary>The host's clocks, through the C library and the vDSO: clock_gettime(2).</summary>
public static unsafe partial class HostTime
{
    /// <summary>CLOCK_REALTIME in nanoseconds.</summary>
    public static long RealtimeNs => Read(0);

    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public static long MonotonicNs => Read(1);

    private static long Read(int clock)
    {
        // SAFETY: struct timespec on this stack frame. Both clocks exist everywhere: the call can't fail.
        long* time = stackalloc long[2];
        _ = GetTime(clock, time);
        return (time[0] * 1_000_000_000) + time[1];
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition] // 25 ns, without a system call
    private static partial int GetTime(int clock, long* time);
}
