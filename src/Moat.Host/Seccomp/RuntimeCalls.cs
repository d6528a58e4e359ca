using Moat.Linux;

namespace Moat.Host.Seccomp;

/// <summary>Calls that the .NET runtime and the C library make by themselves: memory, threads, signals, clocks.</summary>
public static class RuntimeCalls
{
    // What pthread_create(3) asks for: CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID.
    private const uint ThreadFlags = 0x3d0f00;
    private const uint ProtExec = 4;

    // Harmless whatever the arguments.
    private static readonly SyscallNumber[] s_always =
    [
        SyscallNumber.futex, SyscallNumber.munmap, SyscallNumber.madvise, SyscallNumber.mremap, SyscallNumber.brk, SyscallNumber.membarrier, SyscallNumber.sched_yield, SyscallNumber.sched_getaffinity,
        SyscallNumber.getcpu, SyscallNumber.rt_sigprocmask, SyscallNumber.rt_sigaction, SyscallNumber.rt_sigreturn, SyscallNumber.sigaltstack, SyscallNumber.restart_syscall, SyscallNumber.gettid,
        SyscallNumber.getpid, SyscallNumber.clock_gettime, SyscallNumber.clock_getres, SyscallNumber.clock_nanosleep, SyscallNumber.nanosleep, SyscallNumber.gettimeofday,
        SyscallNumber.set_robust_list, SyscallNumber.rseq, SyscallNumber.getrandom, SyscallNumber.getrusage, SyscallNumber.sysinfo, SyscallNumber.poll, SyscallNumber.ppoll,
        SyscallNumber.exit, SyscallNumber.exit_group, SyscallNumber.uname,
    ];

    /// <summary>Allows them. Memory is never made executable, clone makes nothing but threads, and a program that is executed ends the process.</summary>
    public static SeccompFilter AllowRuntime(this SeccompFilter filter) => filter
        .Allow(s_always)
        .AllowIf(SyscallNumber.mmap, 2, ProtExec, 0)
        .AllowIf(SyscallNumber.mprotect, 2, ProtExec, 0)
        .AllowIf(SyscallNumber.clone, 0, uint.MaxValue, ThreadFlags)
        .AllowIf(SyscallNumber.tgkill, 0, uint.MaxValue, (uint)HostCall.Invoke(SyscallNumber.getpid).Raw)
        .Refuse(SyscallNumber.clone3, Errno.ENOSYS) // its flags are in memory: the C library falls back to clone
        .Kill(SyscallNumber.execve, SyscallNumber.execveat);
}
