using Moat.Host;
using Moat.Host.Seccomp;
using Moat.Linux;

namespace Moat.Platform.Systrap;

/// <summary>The seccomp programs of the stubs. Whatever they don't allow arrives in the signal handler.</summary>
internal static class SystrapFilters
{
    private const uint WholeArgument = uint.MaxValue;

    /// <summary>For the thread that carries out orders, from the region's code only: what changes the address space, makes threads and processes, and reports.</summary>
    public static SeccompFilter ForWorker(ulong codeStart, ulong codeEnd) => WithHandOver(codeStart, codeEnd).Allow(
        SyscallNumber.mmap, SyscallNumber.munmap, SyscallNumber.mprotect, SyscallNumber.write, SyscallNumber.clone, SyscallNumber.prctl, SyscallNumber.seccomp, SyscallNumber.sigaltstack,
        SyscallNumber.exit_group);

    /// <summary>For threads that run application code, on top of the other: nothing that reaches beyond the process itself, and there nothing in the
    /// platform's memory but taking it away.</summary>
    public static SeccompFilter ForApplication(ulong codeStart, ulong codeEnd) => WithHandOver(codeStart, codeEnd)
        .Allow(SyscallNumber.munmap)
        .AllowProtectionBelow(codeStart); // what an application may not write is mapped there as a private copy in the making (StubOrders)

    private static SeccompFilter WithHandOver(ulong codeStart, ulong codeEnd) => new SeccompFilter(SeccompAction.Trap)
        .OnlyFrom(codeStart, codeEnd)
        .Allow(SyscallNumber.rt_sigreturn, SyscallNumber.sched_yield)
        .AllowIf(SyscallNumber.futex, 1, WholeArgument, 0) // FUTEX_WAIT
        .AllowIf(SyscallNumber.futex, 1, WholeArgument, 1); // FUTEX_WAKE
}
