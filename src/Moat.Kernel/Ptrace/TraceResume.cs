namespace Moat.Kernel.Ptrace;

/// <summary>How far a tracee runs.</summary>
public enum TraceResume
{
    /// <summary>To its next signal or event (PTRACE_CONT).</summary>
    Continue,

    /// <summary>To the next entry to or exit from a system call (PTRACE_SYSCALL).</summary>
    Syscall,

    /// <summary>To the next entry to a system call, which is not made (PTRACE_SYSEMU).</summary>
    Emulate,
}
