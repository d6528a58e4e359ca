using Moat.Linux;

namespace Moat.Host.Process;

/// <summary>ptrace(2), as far as a platform needs it. Every call but <see cref="Seize"/> belongs to the thread that seized.</summary>
public static unsafe class Ptrace
{
    /// <summary>PTRACE_O_TRACESYSGOOD.</summary>
    public const int OptionSysGood = 1;

    /// <summary>PTRACE_O_EXITKILL.</summary>
    public const int OptionExitKill = 0x100000;

    /// <summary>PTRACE_EVENT_STOP, in bits 16.. of a wait status.</summary>
    public const int EventStop = 128;

    private const int Cont = 7;
    private const int GetRegs = 12;
    private const int SetRegs = 13;
    private const int Detach_ = 17;
    private const int SysEmu_ = 31;
    private const int GetSigInfo_ = 0x4202;
    private const int GetRegSet_ = 0x4204;
    private const int SetRegSet_ = 0x4205;
    private const int Seize_ = 0x4206;
    private const int Interrupt_ = 0x4207;

    /// <summary>Every request that is made here, the most frequent first.</summary>
    public static ReadOnlySpan<int> Requests => [SysEmu_, GetRegs, SetRegs, Cont, GetSigInfo_, GetRegSet_, SetRegSet_, Seize_, Interrupt_, Detach_];

    /// <summary>Attaches the calling thread as tracer without stopping the tracee.</summary>
    public static Errno Seize(int tid, int options) => Call(Seize_, tid, 0, options);

    /// <summary>Stops a seized tracee; the stop is an EventStop.</summary>
    public static Errno Interrupt(int tid) => Call(Interrupt_, tid, 0, 0);

    /// <summary>Lets a stopped tracee go for good.</summary>
    public static Errno Detach(int tid) => Call(Detach_, tid, 0, 0);

    /// <summary>Goes on; system calls are executed by the host.</summary>
    public static Errno Continue(int tid) => Call(Cont, tid, 0, 0);

    /// <summary>Goes on up to the next system call, which is not executed.</summary>
    public static Errno SysEmu(int tid) => Call(SysEmu_, tid, 0, 0);

    /// <summary>Reads the general registers of a stopped tracee.</summary>
    public static Errno GetRegisters(int tid, ref RegisterSet registers)
    {
        // SAFETY: the kernel writes one user_regs_struct, which RegisterSet is; the reference is pinned for the call.
        fixed (RegisterSet* pointer = &registers)
        {
            return Call(GetRegs, tid, 0, (nint)pointer);
        }
    }

    /// <summary>Writes the general registers. EIO for selectors or bases that the kernel refuses.</summary>
    public static Errno SetRegisters(int tid, in RegisterSet registers)
    {
        // SAFETY: the kernel reads one user_regs_struct; the reference is pinned for the call.
        fixed (RegisterSet* pointer = &registers)
        {
            return Call(SetRegs, tid, 0, (nint)pointer);
        }
    }

    /// <summary>Reads <c>siginfo_t</c> (128 bytes) of a signal-delivery stop. EINVAL if it is another kind of stop.</summary>
    public static Errno GetSignalInfo(int tid, Span<byte> info)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(info.Length, 128);

        // SAFETY: the span holds the 128 bytes that the kernel writes, and is pinned for the call.
        fixed (byte* pointer = info)
        {
            return Call(GetSigInfo_, tid, 0, (nint)pointer);
        }
    }

    /// <summary>Reads a register set such as NT_X86_XSTATE; returns how many bytes there were.</summary>
    public static Result<int> GetRegisterSet(int tid, int noteType, Span<byte> state)
    {
        // SAFETY: the iovec bounds what the kernel writes to the span's length; both are pinned for the call.
        fixed (byte* pointer = state)
        {
            IoVec vector = new((ulong)pointer, (ulong)state.Length);
            Errno errno = Call(GetRegSet_, tid, noteType, (nint)(&vector));
            return errno != Errno.None ? errno : (int)vector.Length;
        }
    }

    /// <summary>Writes a register set; the kernel checks what it gets.</summary>
    public static Errno SetRegisterSet(int tid, int noteType, ReadOnlySpan<byte> state)
    {
        // SAFETY: the kernel reads at most the span's length; both are pinned for the call.
        fixed (byte* pointer = state)
        {
            IoVec vector = new((ulong)pointer, (ulong)state.Length);
            return Call(SetRegSet_, tid, noteType, (nint)(&vector));
        }
    }

    private static Errno Call(int request, int tid, nint address, nint data) =>
        HostCall.Invoke(SyscallNumber.ptrace, request, tid, address, data).Errno;
}
