using Moat.Linux;

namespace Moat.Host.Seccomp;

/// <summary>Calls that the .NET runtime and the C library make by themselves: memory, threads, signals, clocks.</summary>
public static class RuntimeCalls
{
    /// <summary>CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD: what makes a clone a thread of the process.</summary>
    public const uint ThreadFlags = 0x10f00;

    /// <summary>Harmless whatever the arguments.</summary>
    public static readonly SyscallNumber[] Always =
    [
        SyscallNumber.futex, SyscallNumber.munmap, SyscallNumber.madvise, SyscallNumber.mremap, SyscallNumber.brk, SyscallNumber.membarrier, SyscallNumber.sched_yield, SyscallNumber.sched_getaffinity,
        SyscallNumber.getcpu, SyscallNumber.rt_sigprocmask, SyscallNumber.rt_sigaction, SyscallNumber.rt_sigreturn, SyscallNumber.sigaltstack, SyscallNumber.restart_syscall, SyscallNumber.gettid,
        SyscallNumber.getpid, SyscallNumber.tgkill, SyscallNumber.clock_gettime, SyscallNumber.clock_getres, SyscallNumber.clock_nanosleep, SyscallNumber.nanosleep, SyscallNumber.gettimeofday,
        SyscallNumber.set_robust_list, SyscallNumber.rseq, SyscallNumber.getrandom, SyscallNumber.getrusage, SyscallNumber.sysinfo, SyscallNumber.poll, SyscallNumber.ppoll,
        SyscallNumber.exit, SyscallNumber.exit_group, SyscallNumber.uname,
    ];
}
