namespace Moat.Kernel;

/// <summary>What uname(2), /proc/version and AT_* tell about the kernel. The release is that of the Linux whose behaviour the guest programs are compared with:
/// software that probes it takes its modern paths.</summary>
public static class KernelVersion
{
    /// <summary><c>utsname.sysname</c>.</summary>
    public const string SystemName = "Linux";

    /// <summary><c>utsname.release</c>.</summary>
    public const string Release = "6.12.0-moat";

    /// <summary><c>utsname.version</c>.</summary>
    public const string Version = "#1 SMP PREEMPT_DYNAMIC Moat";

    /// <summary><c>utsname.machine</c>.</summary>
    public const string Machine = "x86_64";
}
