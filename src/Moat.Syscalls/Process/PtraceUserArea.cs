using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>PTRACE_PEEKUSER, PTRACE_POKEUSER: a word of <c>struct user</c> of x86-64 (<c>sys/user.h</c>), of which the general registers and, as zeros, the debug registers exist.</summary>
internal static class PtraceUserArea
{
    private const int Size = 912;
    private const int WordSize = sizeof(ulong);
    private const int DebugRegisters = 848;
    private const int DebugRegisterCount = 8;

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
            if (request == PtraceRequest.PokeUser)
            {
                return index < registers.Length ? RegisterRules.Set(ref tracee.Task.Registers, index, arguments[3]) : SetOther((int)offset, arguments[3]);
            }

            word = index < registers.Length ? registers[index] : 0;
        }

        return task.Memory.Write(arguments.Address(3), word);
    }

    // There are no hardware breakpoints: what switches none on is accepted.
    private static Errno SetOther(int offset, ulong value)
    {
        const int Status = 6;
        const int Control = 7;
        const ulong EnableBits = 0xff;
        int index = (offset - DebugRegisters) / WordSize;
        return offset < DebugRegisters || index >= DebugRegisterCount ? Errno.EIO
            : index switch
            {
                Status => Errno.None,
                Control => (value & EnableBits) == 0 ? Errno.None : Errno.ENOSPC,
                _ => value == 0 ? Errno.None : Errno.EIO,
            };
    }
}
