namespace Moat.Kernel.Ptrace;

/// <summary>PTRACE_O_* (ptrace(2), PTRACE_SETOPTIONS).</summary>
[Flags]
public enum TraceOptions
{
    None = 0,

    /// <summary>Bit 7 of the signal number says that a stop is one of a system call.</summary>
    SysGood = 1,
    Fork = 1 << TraceEvent.Fork,
    Vfork = 1 << TraceEvent.Vfork,
    Clone = 1 << TraceEvent.Clone,
    Exec = 1 << TraceEvent.Exec,
    VforkDone = 1 << TraceEvent.VforkDone,
    Exit = 1 << TraceEvent.Exit,
    Seccomp = 1 << TraceEvent.Seccomp,

    /// <summary>The tracee is killed when its tracer ends.</summary>
    ExitKill = 1 << 20,

    /// <summary>The tracee's system call filters are not asked.</summary>
    SuspendSeccomp = 1 << 21,

    /// <summary>Every option.</summary>
    All = SysGood | Fork | Vfork | Clone | Exec | VforkDone | Exit | Seccomp | ExitKill | SuspendSeccomp,
}
