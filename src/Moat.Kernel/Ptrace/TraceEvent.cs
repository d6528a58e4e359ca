namespace Moat.Kernel.Ptrace;

/// <summary>PTRACE_EVENT_*: what a tracee stops for, in bits 8 and up of what wait(2) says in place of a signal.</summary>
public enum TraceEvent
{
    None = 0,
    Fork = 1,
    Vfork = 2,
    Clone = 3,
    Exec = 4,
    VforkDone = 5,
    Exit = 6,
    Seccomp = 7,

    /// <summary>PTRACE_INTERRUPT, a group stop or its end, the first stop of a tracee whose parent was seized.</summary>
    Stop = 128,
}
