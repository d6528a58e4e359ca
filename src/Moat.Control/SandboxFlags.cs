namespace Moat.Control;

/// <summary>The command line's flags that matter inside a sandbox, checked.</summary>
public sealed record SandboxFlags
{
    /// <summary>How application code runs: ptrace or systrap; empty for the best that the host allows.</summary>
    public required string Platform { get; init; }

    /// <summary>Whether the application's code stays as it is (--systrap-disable-syscall-patching).</summary>
    public bool DisableSyscallPatching { get; init; }

    /// <summary>Whether nobody looks for his turn instead of sleeping (--systrap-disable-spinning).</summary>
    public bool DisableSpinning { get; init; }

    /// <summary>sandbox, host or none.</summary>
    public required string Network { get; init; }

    /// <summary>Whether details go to the debug log.</summary>
    public required bool Debug { get; init; }

    /// <summary>Whether system calls go to the debug log.</summary>
    public required bool Strace { get; init; }

    /// <summary>The calls to print, by name; empty for all.</summary>
    public required IReadOnlyList<string> StraceSyscalls { get; init; }

    /// <summary>How many bytes of a buffer are printed.</summary>
    public required int StraceLogSize { get; init; }

    /// <summary>A call whose handler is to fail, by name, for tests; empty for none.</summary>
    public required string BugInSyscall { get; init; }

    /// <summary>Whether what system calls allocate is counted, for tests; the debug log has the counts in the end.</summary>
    public required bool CountAllocations { get; init; }

    /// <summary>Where writes to host files go: none, root:memory, all:memory …</summary>
    public required string Overlay2 { get; init; }

    /// <summary>Who else changes the root: exclusive (nobody) or shared.</summary>
    public required string FileAccess { get; init; }

    /// <summary>Who else changes bind mounts.</summary>
    public required string FileAccessMounts { get; init; }

    /// <summary>Whether the configuration's filter of system calls is loaded (--oci-seccomp).</summary>
    public bool OciSeccomp { get; init; }

    /// <summary>Whether writes to the root reach the host: there is no overlay over it.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool WritesToRoot => Overlay2 == "none";

    /// <summary>Whether bind mounts are covered by an overlay too.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool OverlaysMounts => Overlay2.StartsWith("all:", StringComparison.Ordinal);
}
