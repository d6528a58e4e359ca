namespace Moat.Kernel.Time;

/// <summary>CPU time that a task, a process or its children have used.</summary>
/// <param name="UserNs">Nanoseconds in application code.</param>
/// <param name="SystemNs">Nanoseconds in the kernel on its behalf.</param>
public readonly record struct CpuTimes(long UserNs, long SystemNs)
{
    /// <summary>Both.</summary>
    public long TotalNs => UserNs + SystemNs;

    public static CpuTimes operator +(CpuTimes left, CpuTimes right) => new(left.UserNs + right.UserNs, left.SystemNs + right.SystemNs);
}
