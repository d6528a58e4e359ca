using System.Runtime.InteropServices;

namespace Moat.Linux;

/// <summary><c>struct timespec</c>: seconds and nanoseconds.</summary>
/// <param name="Seconds"><c>tv_sec</c>.</param>
/// <param name="Nanoseconds"><c>tv_nsec</c>; a value a guest gave may be out of range, see <see cref="IsValid"/>.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Timespec(long Seconds, long Nanoseconds)
{
    /// <summary>Nanoseconds in a second.</summary>
    public const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Whether the kernel accepts it as a time or an interval: no negative part, less than a second of nanoseconds.</summary>
    public bool IsValid => Seconds >= 0 && (ulong)Nanoseconds < (ulong)NanosecondsPerSecond;

    /// <summary>The whole in nanoseconds, saturating at <see cref="long.MaxValue"/> as the kernel's ktime does.</summary>
    public long ToNanoseconds() =>
        Seconds >= long.MaxValue / NanosecondsPerSecond ? long.MaxValue : (Seconds * NanosecondsPerSecond) + Nanoseconds;

    /// <summary>Splits a count of nanoseconds; the nanosecond part is never negative.</summary>
    public static Timespec FromNanoseconds(long nanoseconds)
    {
        (long seconds, long rest) = Math.DivRem(nanoseconds, NanosecondsPerSecond);
        return rest < 0 ? new Timespec(seconds - 1, rest + NanosecondsPerSecond) : new Timespec(seconds, rest);
    }
}
