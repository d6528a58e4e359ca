using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>A system call without a signal. A trampoline comes here with the address of its record in R11 and everything else as the application had it for its <c>syscall</c> instruction; the thread's
/// slot is in the GS base, which is the platform's as long as the application has none of its own.</summary>
internal static class FastCallCode
{
    /// <summary>In a trampoline's record: where the application goes on, behind its <c>syscall</c> instruction.</summary>
    public const int RecordReturn = 0;

    /// <summary>In a trampoline's record: the <c>syscall</c> instruction.</summary>
    public const int RecordSyscall = 8;

    private static readonly (AssemblerRegister64 Register, Field Field)[] s_saved =
    [
        (r8, Field.R8), (r9, Field.R9), (r10, Field.R10), (r12, Field.R12), (r13, Field.R13), (r14, Field.R14), (r15, Field.R15), (rdi, Field.Rdi), (rsi, Field.Rsi), (rbp, Field.Rbp),
        (rbx, Field.Rbx), (rdx, Field.Rdx), (rax, Field.Rax),
    ];

    // The words of struct sigcontext, in order.
    private enum Field
    {
        R8,
        R9,
        R10,
        R11,
        R12,
        R13,
        R14,
        R15,
        Rdi,
        Rsi,
        Rbp,
        Rbx,
        Rdx,
        Rax,
        Rcx,
        Rsp,
        Rip,
        Eflags,
    }

    /// <summary>Emits it.</summary>
    /// <param name="asm">Where to.</param>
    /// <param name="layout">Where things are.</param>
    /// <param name="points">Emitted at what the Sentry has to know of it.</param>
    public static void Emit(Assembler asm, StubLayout layout, FastCallPoints points)
    {
        Label own = asm.CreateLabel();
        Label again = asm.CreateLabel();
        Label load = asm.CreateLabel();
        Label leave = asm.CreateLabel();

        // Is the GS base among the slots? Without touching the flags, which are the application's.
        asm.rdgsbase(rcx);
        asm.rorx(rcx, rcx, StubLayout.SlotsShift);
        asm.mov(ecx, ecx);
        asm.lea(rcx, __[rcx - (int)(layout.Slots >> StubLayout.SlotsShift)]);
        asm.jrcxz(own);
        asm.jmp(__qword_ptr[r11 + RecordSyscall]);

        asm.Label(ref own);
        asm.rdgsbase(rcx);
        asm.mov(Saved(rcx, Field.Rsp), rsp);
        asm.lea(rsp, __[rcx + OffsetOf(Field.Eflags) + sizeof(ulong)]);
        asm.pushfq();
        asm.mov(r11, __qword_ptr[r11 + RecordReturn]);
        asm.mov(Saved(rcx, Field.Rip), r11);
        Answer(asm, layout, points);

        asm.Label(ref points.Answered);
        foreach ((AssemblerRegister64 register, Field field) in s_saved)
        {
            asm.mov(Saved(rcx, field), register);
        }

        asm.mov(rbx, rcx);
        asm.rdfsbase(rax);
        asm.mov(__qword_ptr[rbx + ThreadSlot.FsBase], rax);
        asm.mov(__dword_ptr[rbx + ThreadSlot.Call], 1);
        asm.cld();
        asm.Label(ref again);
        asm.mov(__dword_ptr[rbx + ThreadSlot.Reason], (int)HandOverReason.FastCall); // each time: an interrupt may have left another reason
        HandOverCode.Emit(asm, ref points.HandedOver, ref points.OwnCalls, ref points.OwnCallsEnd);
        asm.mov(esi, __dword_ptr[rbx + ThreadSlot.Answer]);
        asm.mov(rdi, __qword_ptr[rbx + ThreadSlot.Prepared]);
        asm.cmp(esi, (int)FastAnswer.Load);
        asm.jb(leave);
        asm.je(load);
        SaveFpuState(asm);
        asm.cmp(esi, (int)FastAnswer.SaveAndLoad);
        asm.jne(again);

        asm.Label(ref load);
        HandlerCode.EmitReturn(asm, rdi);

        asm.Label(ref leave);
        foreach (AssemblerRegister64 register in (ReadOnlySpan<AssemblerRegister64>)[r10, rdi, rsi, rdx, rax])
        {
            asm.mov(register, Saved(rbx, Array.Find(s_saved, pair => pair.Register == register).Field));
        }

        asm.lea(rsp, __[rbx + OffsetOf(Field.Eflags)]);
        asm.mov(r11, __qword_ptr[rsp]);
        asm.mov(rcx, Saved(rbx, Field.Rip));
        asm.popfq();
        asm.mov(rsp, Saved(rbx, Field.Rsp));
        asm.mov(rbx, Saved(rbx, Field.Rbx));
        asm.jmp(rcx);
    }

    // A call that asks for a number of the thread's own. Up to the commitment it can be made anew with what is in RAX, behind it the answer is there.
    private static void Answer(Assembler asm, StubLayout layout, FastCallPoints points)
    {
        asm.cmp(rax, StubLayout.AnswerIndexSize);
        asm.jae(points.Answered);
        asm.mov(r11, layout.Data + StubLayout.AnswerIndex);
        asm.movzx(r11d, __byte_ptr[r11 + rax]);
        asm.mov(r11d, __dword_ptr[rcx + (r11 * sizeof(int)) + ThreadSlot.Answers]);
        asm.Label(ref points.Looked);
        asm.test(r11d, r11d);
        asm.js(points.Answered);
        asm.mov(eax, r11d);
        asm.Label(ref points.Committed);
        asm.mov(r11, __qword_ptr[rsp]);
        asm.popfq();
        asm.mov(rsp, Saved(rcx, Field.Rsp));
        asm.mov(rcx, Saved(rcx, Field.Rip));
        asm.jmp(rcx);
    }

    // Into the frame at RDI, of which the kernel has made the pattern: the state's components are those that it said there.
    private static void SaveFpuState(Assembler asm)
    {
        asm.mov(rcx, __qword_ptr[rdi + SignalFrameLayout.FpState]);
        asm.mov(eax, __dword_ptr[rcx + SignalFrameLayout.FpuFeatures]);
        asm.mov(edx, __dword_ptr[rcx + SignalFrameLayout.FpuFeatures + sizeof(int)]);
        asm.xsave64(__[rcx]);
    }

    private static int OffsetOf(Field field) => ThreadSlot.FastContext + ((int)field * sizeof(ulong));

    private static AssemblerMemoryOperand Saved(AssemblerRegister64 slot, Field field) => __qword_ptr[slot + OffsetOf(field)];
}
