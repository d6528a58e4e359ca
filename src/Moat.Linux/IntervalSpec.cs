using System.Runtime.InteropServices;

namespace Moat.Linux;

/// <summary><c>struct itimerspec</c>.</summary>
/// <param name="Interval"><c>it_interval</c>.</param>
/// <param name="Value"><c>it_value</c>.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct IntervalSpec(Timespec Interval, Timespec Value)
{
    /// <summary>Whether both parts are.</summary>
    public bool IsValid => Interval.IsValid && Value.IsValid;

    /// <summary>Of nanoseconds.</summary>
    public static IntervalSpec FromNanoseconds(long intervalNs, long valueNs) => new(Timespec.FromNanoseconds(intervalNs), Timespec.FromNanoseconds(valueNs));
}
