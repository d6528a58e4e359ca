using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>PTRACE_PEEKTEXT, PTRACE_PEEKDATA, PTRACE_POKETEXT, PTRACE_POKEDATA: a word of the tracee's memory, also where it may not read or write itself.</summary>
internal static class PtraceMemory
{
    public static SyscallResult Run(GuestTask task, Tracee tracee, PtraceRequest request, in SyscallArguments arguments)
    {
        MemoryManager memory;
        lock (task.Kernel.TaskLock)
        {
            memory = tracee.Task.Memory;
            if (!tracee.IsHeldBy(task) || !memory.TryAddUser())
            {
                return Errno.ESRCH;
            }
        }

        ulong word = arguments[3];
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<ulong>(ref word));
        bool isPeek = request is PtraceRequest.PeekText or PtraceRequest.PeekData;
        int count = isPeek ? memory.CopyInPartial(arguments.Address(2), bytes, isForced: true) : memory.CopyOutPartial(arguments.Address(2), bytes, isForced: true);
        memory.RemoveUser();
        return count < bytes.Length ? Errno.EIO : isPeek ? task.Memory.Write(arguments.Address(3), word) : SyscallResult.Ok;
    }
}
