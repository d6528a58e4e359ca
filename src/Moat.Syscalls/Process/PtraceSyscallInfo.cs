using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>PTRACE_GET_SYSCALL_INFO, PTRACE_SECCOMP_GET_FILTER, PTRACE_SECCOMP_GET_METADATA: what a stop says of a system call.</summary>
internal static class PtraceSyscallInfo
{
    private const int MaxSize = 84;
    private const int HeadSize = 24; // op, arch, instruction and stack pointer
    private const int EntrySize = 80;
    private const int ExitSize = 33;
    private const int CallAt = 24; // nr, six arguments
    private const int ResultAt = 24; // rval, is_error
    private const int DecisionAt = 80; // ret_data
    private const int SyscallCode = (int)Signal.SIGTRAP | 0x80;
    private const int SeccompCode = (int)Signal.SIGTRAP | ((int)TraceEvent.Seccomp << 8);
    private const uint ArchX8664 = 0xc000003e;

    // PTRACE_SYSCALL_INFO_*
    private enum Kind : byte
    {
        None,
        Entry,
        Exit,
        Seccomp,
    }

    public static SyscallResult Run(GuestTask task, Tracee tracee, PtraceRequest request, in SyscallArguments arguments)
    {
        if (request != PtraceRequest.GetSyscallInfo)
        {
            return task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN) && task.Seccomp is null ? Errno.EINVAL : Errno.EACCES; // of a kernel that keeps no programs for checkpoints
        }

        Span<byte> info = stackalloc byte[MaxSize];
        info.Clear();
        int size;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            size = Describe(tracee, info);
        }

        Errno errno = task.Memory.CopyOut(arguments.Address(3), info[..(int)Math.Min((ulong)size, arguments[2])]);
        return errno != Errno.None ? errno : size;
    }

    private static int Describe(Tracee tracee, Span<byte> info)
    {
        const ulong ExitMessage = 2; // PTRACE_EVENTMSG_SYSCALL_EXIT
        ref RegisterSet registers = ref tracee.Task.Registers;
        Kind kind = !tracee.HasInfo ? Kind.None
            : tracee.Info.Code switch
            {
                SyscallCode => tracee.Message == ExitMessage ? Kind.Exit : Kind.Entry,
                SeccompCode => Kind.Seccomp,
                _ => Kind.None,
            };
        info[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(info[4..], ArchX8664);
        BinaryPrimitives.WriteUInt64LittleEndian(info[8..], registers.Rip);
        BinaryPrimitives.WriteUInt64LittleEndian(info[16..], registers.Rsp);
        switch (kind)
        {
            case Kind.None:
                return HeadSize;
            case Kind.Exit:
                bool isError = new SyscallResult((long)registers.Rax).IsError;
                BinaryPrimitives.WriteUInt64LittleEndian(info[ResultAt..], registers.Rax);
                info[ResultAt + sizeof(long)] = isError ? (byte)1 : (byte)0;
                return ExitSize;
            default:
                ReadOnlySpan<ulong> call = [(ulong)(int)registers.OrigRax, registers.Rdi, registers.Rsi, registers.Rdx, registers.R10, registers.R8, registers.R9];
                for (int i = 0; i < call.Length; i++)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(info[(CallAt + (i * sizeof(ulong)))..], call[i]);
                }

                if (kind == Kind.Entry)
                {
                    return EntrySize;
                }

                BinaryPrimitives.WriteUInt32LittleEndian(info[DecisionAt..], (uint)tracee.Message);
                return MaxSize;
        }
    }
}
