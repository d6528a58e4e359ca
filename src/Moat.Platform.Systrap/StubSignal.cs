using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Platform.Systrap;

/// <summary>What a signal that a stub has got says of the application.</summary>
internal static class StubSignal
{
    /// <summary><c>si_code</c> SI_KERNEL.</summary>
    public const int CodeKernel = 0x80;

    private const uint ArchX8664 = 0xc000003e;

    /// <summary>Explains any signal but the interrupt's.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="info">Its <c>siginfo_t</c>.</param>
    /// <param name="context">The registers in the frame.</param>
    /// <param name="registers">The same; changed to what the kernel expects of a system call.</param>
    public static SwitchResult Explain(Signal signal, ReadOnlySpan<byte> info, in SignalContext context, ref RegisterSet registers)
    {
        if (signal == Signal.SIGSYS)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(info[28..]) == ArchX8664)
            {
                registers.OrigRax = registers.Rax;
                registers.Rax = unchecked((ulong)-(long)Errno.ENOSYS);
                return new SwitchResult { Reason = SwitchReason.Syscall };
            }

            // int 0x80 and sysenter: 32-bit calls, which a kernel without IA32 answers with a fault at the instruction.
            registers.Rip -= 2;
            return new SwitchResult { Reason = SwitchReason.Exception, Signal = (int)Signal.SIGSEGV, SignalCode = CodeKernel };
        }

        if (signal is not (Signal.SIGILL or Signal.SIGTRAP or Signal.SIGBUS or Signal.SIGFPE or Signal.SIGSEGV))
        {
            return new SwitchResult { Reason = SwitchReason.Lost }; // the application has made nonsense of its frame
        }

        int code = BinaryPrimitives.ReadInt32LittleEndian(info[8..]);
        bool isFault = signal switch
        {
            Signal.SIGSEGV => code is 1 or 2, // SEGV_MAPERR, SEGV_ACCERR
            Signal.SIGBUS => code == 2, // BUS_ADRERR
            _ => false,
        };
        return new SwitchResult
        {
            Reason = isFault ? SwitchReason.Fault : SwitchReason.Exception,
            Signal = (int)signal,
            SignalCode = code,
            Address = new GuestAddress(BinaryPrimitives.ReadUInt64LittleEndian(info[16..])),
            Access = isFault ? AccessOf(context) : MemoryAccess.Unknown,
        };
    }

    private static MemoryAccess AccessOf(in SignalContext context)
    {
        const ulong PageFault = 14;
        const ulong WriteBit = 2;
        const ulong FetchBit = 16;
        return context.TrapNumber != PageFault ? MemoryAccess.Unknown
            : (context.ErrorCode & FetchBit) != 0 ? MemoryAccess.Execute
            : (context.ErrorCode & WriteBit) != 0 ? MemoryAccess.Write : MemoryAccess.Read;
    }
}
