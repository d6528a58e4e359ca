using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_GETFPREGS, PTRACE_SETFPREGS, PTRACE_GETREGSET, PTRACE_SETREGSET, PTRACE_ARCH_PRCTL.</summary>
internal static class PtraceRegisters
{
    private const int WordSize = sizeof(ulong);
    private const int GeneralSize = RegisterRules.Count * WordSize;
    private const int GeneralSet = 1; // NT_PRSTATUS
    private const int FpuSet = 2; // NT_FPREGSET
    private const int ExtendedSet = 0x202; // NT_X86_XSTATE

    public static SyscallResult Run(GuestTask task, Tracee tracee, PtraceRequest request, in SyscallArguments arguments) => request switch
    {
        PtraceRequest.GetRegisters => GetGeneral(task, tracee, arguments.Address(3), GeneralSize),
        PtraceRequest.SetRegisters => SetGeneral(task, tracee, arguments.Address(3), GeneralSize),
        PtraceRequest.GetFpuRegisters => FpuRegisters.Get(task, tracee, arguments.Address(3), FpuRegisters.LegacySize, isExtended: false),
        PtraceRequest.SetFpuRegisters => FpuRegisters.SetLegacy(task, tracee, arguments.Address(3)),
        PtraceRequest.ArchPrctl => SetBase(task, tracee, arguments),
        _ => RunSet(task, tracee, request == PtraceRequest.SetRegisterSet, arguments),
    };

    private static Errno RunSet(GuestTask task, Tracee tracee, bool isSet, in SyscallArguments arguments)
    {
        Errno errno = task.Memory.Read(arguments.Address(3), out IoVec vector);
        if (errno != Errno.None)
        {
            return errno;
        }

        int size = arguments.UInt(2) switch
        {
            GeneralSet => GeneralSize,
            FpuSet => FpuRegisters.LegacySize,
            ExtendedSet => tracee.Task.Context.FpuStateSize,
            _ => 0,
        };
        if (size == 0 || vector.Length % WordSize != 0)
        {
            return Errno.EINVAL;
        }

        int length = (int)Math.Min(vector.Length, (ulong)size);
        GuestAddress address = new(vector.Base);
        errno = (arguments.UInt(2), isSet) switch
        {
            (GeneralSet, false) => GetGeneral(task, tracee, address, length),
            (GeneralSet, true) => SetGeneral(task, tracee, address, length),
            (FpuSet, false) => FpuRegisters.Get(task, tracee, address, length, isExtended: false),
            (FpuSet, true) => length == size ? FpuRegisters.SetLegacy(task, tracee, address) : Errno.EINVAL,
            (_, false) => FpuRegisters.Get(task, tracee, address, length, isExtended: true),
            (_, true) => length == size ? FpuRegisters.SetExtended(task, tracee, address) : Errno.EFAULT,
        };
        return errno != Errno.None ? errno : task.Memory.Write(arguments.Address(3) + WordSize, (ulong)length);
    }

    private static Errno GetGeneral(GuestTask task, Tracee tracee, GuestAddress address, int length)
    {
        RegisterSet registers;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            registers = tracee.Task.Registers;
        }

        return task.Memory.CopyOut(address, MemoryMarshal.AsBytes(new ReadOnlySpan<RegisterSet>(in registers))[..length]);
    }

    // What comes before a word that is refused is set, as in Linux.
    private static Errno SetGeneral(GuestTask task, Tracee tracee, GuestAddress address, int length)
    {
        Span<ulong> words = stackalloc ulong[length / WordSize];
        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(words));
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            for (int i = 0; i < words.Length && errno == Errno.None; i++)
            {
                errno = RegisterRules.Set(ref tracee.Task.Registers, i, words[i]);
            }

            return errno;
        }
    }

    // arch_prctl(2) for the tracee: its address and option have changed places.
    private static Errno SetBase(GuestTask task, Tracee tracee, in SyscallArguments arguments)
    {
        const int SetGs = 0x1001;
        const int SetFs = 0x1002;
        const int GetFs = 0x1003;
        const int GetGs = 0x1004;
        ulong value;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            ref RegisterSet registers = ref tracee.Task.Registers;
            switch (arguments.Int(3))
            {
                case SetFs or SetGs when arguments[2] >= RegisterRules.TaskSize:
                    return Errno.EPERM;
                case SetFs:
                    registers.FsBase = arguments[2];
                    return Errno.None;
                case SetGs:
                    registers.GsBase = arguments[2];
                    return Errno.None;
                case GetFs or GetGs:
                    value = arguments.Int(3) == GetFs ? registers.FsBase : registers.GsBase;
                    break;
                default:
                    return Errno.EINVAL;
            }
        }

        return task.Memory.Write(arguments.Address(2), value);
    }
}
