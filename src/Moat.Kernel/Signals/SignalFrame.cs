using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>The frame that a handler runs on and that rt_sigreturn(2) takes down: <c>struct rt_sigframe</c> of x86-64 (<c>asm/sigcontext.h</c>, <c>asm/ucontext.h</c>).</summary>
internal static class SignalFrame
{
    private const int FrameSize = 8 + UcontextSize + SignalInfo.Size;
    private const int UcontextSize = 304;
    private const int StackOffset = 16; // uc_stack
    private const int ContextOffset = 40; // uc_mcontext
    private const int MaskOffset = 296; // uc_sigmask
    private const int FpStateOffset = ContextOffset + (23 * 8); // mcontext's fpstate pointer
    private const int RedZone = 128;
    private const ulong UcontextFlags = 7; // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
    private const int SoftwareBytes = 464; // fpx_sw_bytes in the FXSAVE area
    private const uint Magic1 = 0x46505853;
    private const uint Magic2 = 0x46505845;
    private const ulong UserFlags = 0x244DD5; // CF PF AF ZF SF TF DF OF RF AC ID … FIX_EFLAGS

    /// <summary>Puts a frame on the stack and the registers at the handler.</summary>
    /// <returns>False if the stack can't hold it: the task gets SIGSEGV.</returns>
    public static bool Push(GuestTask task, in SignalAction action, in SignalInfo info, SignalSet maskToRestore)
    {
        ref RegisterSet registers = ref task.Registers;
        AlternateStack alternate = task.Signals.AlternateStack;
        ulong stack = registers.Rsp - RedZone;
        bool onAlternate = alternate.Contains(registers.Rsp);
        if ((action.Flags & SignalAction.OnStack) != 0 && (alternate.Flags & AlternateStack.Disable) == 0 && !onAlternate)
        {
            stack = alternate.Base + alternate.Size;
        }

        int stateSize = task.Context.FpuStateSize;
        Span<byte> fpu = stackalloc byte[stateSize + 4]; // the host's processor decides: a few kilobytes
        task.Context.ReadFpuState(fpu[..stateSize]);
        ulong features = BinaryPrimitives.ReadUInt64LittleEndian(fpu[SoftwareBytes..]); // ptrace leaves XCR0 here
        BinaryPrimitives.WriteUInt32LittleEndian(fpu[SoftwareBytes..], Magic1);
        BinaryPrimitives.WriteUInt32LittleEndian(fpu[(SoftwareBytes + 4)..], (uint)fpu.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(fpu[(SoftwareBytes + 8)..], features);
        BinaryPrimitives.WriteUInt32LittleEndian(fpu[(SoftwareBytes + 16)..], (uint)stateSize);
        BinaryPrimitives.WriteUInt32LittleEndian(fpu[stateSize..], Magic2);
        ulong fpuAddress = (stack - (ulong)fpu.Length) & ~63UL;
        ulong frameAddress = ((fpuAddress - FrameSize) & ~15UL) - 8;
        if (onAlternate && !alternate.Contains(frameAddress))
        {
            return false;
        }

        Span<byte> frame = stackalloc byte[FrameSize];
        frame.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(frame, action.Restorer);
        Span<byte> context = frame[8..];
        BinaryPrimitives.WriteUInt64LittleEndian(context, UcontextFlags);
        BinaryPrimitives.WriteUInt64LittleEndian(context[StackOffset..], alternate.Base);
        BinaryPrimitives.WriteUInt32LittleEndian(context[(StackOffset + 8)..], alternate.Flags | (onAlternate ? AlternateStack.OnStack : 0));
        BinaryPrimitives.WriteUInt64LittleEndian(context[(StackOffset + 16)..], alternate.Size);
        WriteRegisters(context[ContextOffset..], registers, maskToRestore, task.Signals.LastFault);
        BinaryPrimitives.WriteUInt64LittleEndian(context[FpStateOffset..], fpuAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(context[MaskOffset..], maskToRestore.Bits);
        ((ReadOnlySpan<byte>)info).CopyTo(frame[(8 + UcontextSize)..]);
        if (task.Memory.CopyOut(new GuestAddress(fpuAddress), fpu) != Errno.None || task.Memory.CopyOut(new GuestAddress(frameAddress), frame) != Errno.None)
        {
            return false;
        }

        if ((alternate.Flags & AlternateStack.AutoDisarm) != 0)
        {
            task.Signals.AlternateStack = AlternateStack.None;
        }

        registers.Rdi = (ulong)info.Signal;
        registers.Rsi = frameAddress + 8 + UcontextSize;
        registers.Rdx = frameAddress + 8;
        registers.Rax = 0;
        registers.Rsp = frameAddress;
        registers.Rip = action.Handler;
        registers.Eflags &= ~0x10500UL; // DF, TF and RF
        return true;
    }

    /// <summary>rt_sigreturn(2): takes the frame down. Everything in it is the application's own choice and checked.</summary>
    /// <returns>False for a frame that is not there or would not load: SIGSEGV.</returns>
    public static bool Pop(GuestTask task)
    {
        Span<byte> context = stackalloc byte[UcontextSize];
        GuestAddress address = new(task.Registers.Rsp);
        if (task.Memory.CopyIn(address, context) != Errno.None)
        {
            return false;
        }

        ReadRegisters(context[ContextOffset..], ref task.Registers);
        task.Signals.SetBlocked(new SignalSet(BinaryPrimitives.ReadUInt64LittleEndian(context[MaskOffset..])));
        AlternateStack stack = new(
            BinaryPrimitives.ReadUInt64LittleEndian(context[StackOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(context[(StackOffset + 8)..]) & ~AlternateStack.OnStack,
            BinaryPrimitives.ReadUInt64LittleEndian(context[(StackOffset + 16)..]));
        if ((stack.Flags & ~(AlternateStack.Disable | AlternateStack.AutoDisarm)) == 0 && !task.Signals.AlternateStack.Contains(task.Registers.Rsp))
        {
            task.Signals.AlternateStack = stack;
        }

        ulong fpuAddress = BinaryPrimitives.ReadUInt64LittleEndian(context[FpStateOffset..]);
        if (fpuAddress == 0)
        {
            task.Context.ResetFpuState();
            return true;
        }

        Span<byte> fpu = stackalloc byte[task.Context.FpuStateSize];
        return task.Memory.CopyIn(new GuestAddress(fpuAddress), fpu) == Errno.None && task.Context.WriteFpuState(fpu) == Errno.None;
    }

    private static void WriteRegisters(Span<byte> to, in RegisterSet from, SignalSet mask, GuestAddress faultAddress)
    {
        ref SignalContext context = ref MemoryMarshal.AsRef<SignalContext>(to);
        context.Store(from);
        context.OldMask = mask.Bits;
        context.Cr2 = faultAddress.Value;
    }

    private static void ReadRegisters(ReadOnlySpan<byte> from, ref RegisterSet to)
    {
        ulong flags = to.Eflags;
        MemoryMarshal.AsRef<SignalContext>(from).Load(ref to);
        to.Eflags = (flags & ~UserFlags) | (to.Eflags & UserFlags);
        to.OrigRax = ulong.MaxValue; // whatever was interrupted then, it is no system call that might restart now
        to.Cs = 0x33;
        to.Ss = 0x2b;
    }
}
