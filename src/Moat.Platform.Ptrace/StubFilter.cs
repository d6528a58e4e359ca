using Moat.Host;
using Moat.Host.Seccomp;
using Moat.Linux;
using Moat.Platform.Amd64;

namespace Moat.Platform.Ptrace;

/// <summary>The seccomp program of the stubs: what stub code calls, from stub code, with the arguments that it uses; anything else kills the stub (seccomp(2)). The application's own calls
/// never get as far: this holds should one ever reach the host.</summary>
internal static class StubFilter
{
    private const uint SetDeathSignal = 1; // PR_SET_PDEATHSIG

    /// <summary>Makes the program.</summary>
    /// <param name="codeStart">The first byte of the stubs' code.</param>
    /// <param name="codeEnd">Its end.</param>
    public static SeccompFilter Create(ulong codeStart, ulong codeEnd) => new SeccompFilter(SeccompAction.KillProcess)
        .OnlyFrom(codeStart, codeEnd)
        .AllowIf(SyscallNumber.mmap, 3, ~(uint)HostMemory.MapPopulate, HostMemory.MapShared | HostMemory.MapFixed)
        .Allow(SyscallNumber.munmap, SyscallNumber.mprotect, SyscallNumber.pause, SyscallNumber.restart_syscall, SyscallNumber.exit)
        .AllowIf(SyscallNumber.clone, 0, uint.MaxValue, StubAssembler.ThreadFlags)
        .AllowIf(SyscallNumber.clone, 0, uint.MaxValue, StubAssembler.ProcessFlags)
        .AllowIf(SyscallNumber.prctl, 0, uint.MaxValue, SetDeathSignal);
}
