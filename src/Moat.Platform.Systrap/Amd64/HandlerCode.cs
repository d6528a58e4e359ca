using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>The signal handler. On the stack of the slot, with all signals blocked: RBX is the slot, RSP the frame. The Sentry reads and writes registers there.</summary>
internal static class HandlerCode
{
    /// <summary>Emits it.</summary>
    /// <param name="asm">Where to.</param>
    /// <param name="restorer">Emitted at its way back.</param>
    public static void Emit(Assembler asm, ref Label restorer)
    {
        Label handedOver = asm.CreateLabel();
        Label ownCalls = asm.CreateLabel();
        Label ownCallsEnd = asm.CreateLabel();
        asm.mov(rbx, rsp);
        asm.and(rbx, -ThreadSlot.Size);
        asm.mov(__qword_ptr[rbx + ThreadSlot.Frame], rsp);
        asm.rdfsbase(rax);
        asm.mov(__qword_ptr[rbx + ThreadSlot.FsBase], rax);
        asm.rdgsbase(rax);
        asm.mov(__qword_ptr[rbx + ThreadSlot.GsBase], rax);
        asm.mov(__dword_ptr[rbx + ThreadSlot.Reason], (int)HandOverReason.Signal);
        HandOverCode.Emit(asm, ref handedOver, ref ownCalls, ref ownCallsEnd);
        EmitReturn(asm, rsp);
        asm.Label(ref restorer);
        asm.hlt();
    }

    /// <summary>Emits the way to the application with the registers of a frame, and with the bases of the slot at RBX.</summary>
    /// <param name="asm">Where to.</param>
    /// <param name="frame">Where the frame is.</param>
    public static void EmitReturn(Assembler asm, AssemblerRegister64 frame)
    {
        asm.mov(rax, __qword_ptr[rbx + ThreadSlot.FsBase]);
        asm.wrfsbase(rax);
        asm.mov(rax, __qword_ptr[rbx + ThreadSlot.GsBase]);
        asm.wrgsbase(rax);
        asm.lea(rsp, __[frame + sizeof(ulong)]); // behind the address that a handler would return to
        asm.mov(eax, (int)SyscallNumber.rt_sigreturn);
        asm.syscall();
        asm.hlt();
    }
}
