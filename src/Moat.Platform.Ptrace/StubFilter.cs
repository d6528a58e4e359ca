using Moat.Host.Seccomp;
using Moat.Linux;

namespace Moat.Platform.Ptrace;

/// <summary>The seccomp program of the stubs: only what stub code calls, anything else kills the stub (seccomp(2)). The application's own calls never get as far.</summary>
internal static class StubFilter
{
    /// <summary>Makes the program.</summary>
    public static SeccompFilter Create() => new SeccompFilter(SeccompAction.KillProcess).Allow(
        SyscallNumber.mmap, SyscallNumber.munmap, SyscallNumber.mprotect, SyscallNumber.clone, SyscallNumber.pause, SyscallNumber.restart_syscall, SyscallNumber.exit, SyscallNumber.prctl, SyscallNumber.seccomp);
}
