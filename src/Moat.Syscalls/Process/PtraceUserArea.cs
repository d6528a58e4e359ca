using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>PTRACE_PEEKUSER, PTRACE_POKEUSER: a word of <c>struct user</c> of x86-64 (<c>sys/user.h</c>), of which the general registers and the debug registers exist.</summary>
internal static class PtraceUserArea
{
    private const int Size = 928; // with two words that the C library's header does not have
    private const int WordSize = sizeof(ulong);
    private const int DebugRegisters = 848;

    public static SyscallResult Run(GuestTask task, Tracee tracee, PtraceRequest request, in SyscallArguments arguments)
    {
        ulong offset = arguments[2];
        if (offset % WordSize != 0 || offset >= Size)
        {
            return Errno.EIO;
        }

        int index = (int)offset / WordSize;
        ulong word = 0;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            Span<ulong> registers = MemoryMarshal.Cast<RegisterSet, ulong>(new Span<RegisterSet>(ref tracee.Task.Registers));
            int debugIndex = index - (DebugRegisters / WordSize);
            bool isDebug = debugIndex is >= 0 and < Breakpoints.Count;
            if (request == PtraceRequest.PokeUser)
            {
                return index < registers.Length ? RegisterRules.Set(ref tracee.Task.Registers, index, arguments[3])
                    : isDebug ? (tracee.Breakpoints ??= new Breakpoints()).Set(debugIndex, arguments[3]) : Errno.EIO;
            }

            word = index < registers.Length ? registers[index] : isDebug ? Breakpoints.Peek(tracee.Breakpoints, debugIndex) : 0;
        }

        return task.Memory.Write(arguments.Address(3), word);
    }
}
