using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Amd64;

/// <summary>Pieces of machine code that the stubs of several platforms have.</summary>
public static class StubAssembler
{
    /// <summary>Flags of the clone that makes another thread of a stub.</summary>
    public const int ThreadFlags = CloneVm | CloneFs | CloneFiles | CloneSighand | CloneThread | CloneSysvsem;

    /// <summary>Flags of the clone that makes another stub process: a child of the Sentry (CLONE_PARENT), with the Sentry's descriptors. The Sentry gets no signal when it ends: its runtime
    /// would handle each.</summary>
    public const int ProcessFlags = CloneFiles | CloneParent;

    private const int CloneVm = 0x100;
    private const int CloneFs = 0x200;
    private const int CloneFiles = 0x400;
    private const int CloneSighand = 0x800;
    private const int CloneVfork = 0x4000;
    private const int CloneParent = 0x8000;
    private const int CloneThread = 0x10000;
    private const int CloneSysvsem = 0x40000;

    /// <summary>A function <c>int spawn(void *stackTop, int *pid)</c> with the C convention that makes the first stub, writes its pid (or negative errno), and returns the pid of a middle
    /// child that has ended and is to be reaped, or a negative errno. The stub, a copy of the Sentry, goes on at <paramref name="processStart"/> without a stack.</summary>
    /// <remarks>Two steps: a child that shares the Sentry's memory has no rseq area registered, and so has the stub that it makes. One made by the Sentry's
    /// own thread would inherit the registration, and die when its area is unmapped.</remarks>
    public static void Spawn(Assembler asm, Label processStart)
    {
        ArgumentNullException.ThrowIfNull(asm);
        Label middle = asm.CreateLabel();
        asm.mov(r8, rsi);
        asm.mov(rsi, rdi);
        asm.mov(edi, CloneVm | CloneVfork | CloneFiles);
        Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(middle);
        asm.ret();

        asm.Label(ref middle);
        asm.mov(edi, ProcessFlags);
        asm.xor(esi, esi);
        Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(processStart);
        asm.mov(__dword_ptr[r8], eax);
        asm.xor(edi, edi);
        Call(asm, SyscallNumber.exit, zeroFrom: 1);
    }

    /// <summary>Has the process die with its parent, the Sentry's first thread.</summary>
    public static void DieWithParent(Assembler asm)
    {
        ArgumentNullException.ThrowIfNull(asm);
        const int SetDeathSignal = 1;
        const int Sigkill = 9;
        asm.mov(edi, SetDeathSignal);
        asm.mov(esi, Sigkill);
        Call(asm, SyscallNumber.prctl, zeroFrom: 2);
    }

    /// <summary>Unmaps a range; goes to <paramref name="failed"/> with the error in RAX.</summary>
    public static void Unmap(Assembler asm, ulong start, ulong end, Label failed)
    {
        ArgumentNullException.ThrowIfNull(asm);
        asm.mov(rdi, start);
        asm.mov(rsi, end - start);
        Call(asm, SyscallNumber.munmap, zeroFrom: 2);
        asm.test(rax, rax);
        asm.jne(failed);
    }

    /// <summary>Moves the host's vDSO; goes to <paramref name="failed"/> if that can't be done. The code finds its data by the distance, which stays.</summary>
    /// <remarks>The data are several mappings that can't be cut, of sizes that only the kernel knows: from the top down, each is the first number of pages that can be moved.</remarks>
    public static void MoveVdso(Assembler asm, HostVdso vdso, ulong target, Label failed)
    {
        ArgumentNullException.ThrowIfNull(asm);
        ArgumentNullException.ThrowIfNull(vdso);
        Label next = asm.CreateLabel();
        Label longer = asm.CreateLabel();
        Label done = asm.CreateLabel();
        asm.mov(r12, vdso.Image); // the end of what is left
        asm.Label(ref next);
        asm.mov(r13, vdso.Start);
        asm.cmp(r12, r13);
        asm.je(done);
        asm.xor(r14d, r14d);
        asm.Label(ref longer);
        asm.add(r14, MemoryFile.PageSize);
        asm.mov(rdi, r12);
        asm.sub(rdi, r14);
        asm.cmp(rdi, r13);
        asm.jb(failed);
        asm.mov(rsi, r14);
        Move(asm, vdso, target);
        asm.jne(longer);
        asm.mov(r12, rdi);
        asm.jmp(next);

        asm.Label(ref done);
        asm.mov(rdi, vdso.Image);
        asm.mov(rsi, vdso.End - vdso.Image);
        Move(asm, vdso, target);
        asm.jne(failed);
    }

    /// <summary>PR_SET_NO_NEW_PRIVS and a seccomp program; goes to <paramref name="failed"/> with the error in RAX.</summary>
    /// <param name="programAddress">A <c>struct sock_fprog</c>.</param>
    public static void Confine(Assembler asm, ulong programAddress, Label failed)
    {
        ArgumentNullException.ThrowIfNull(asm);
        const int SetNoNewPrivs = 38;
        const int SetModeFilter = 1;
        const int SpecAllow = 4; // the host's defence against speculation is for who shares a process with a secret; the stub has none
        asm.mov(edi, SetNoNewPrivs);
        asm.mov(esi, 1);
        Call(asm, SyscallNumber.prctl, zeroFrom: 2);
        asm.test(rax, rax);
        asm.jne(failed);
        asm.mov(edi, SetModeFilter);
        asm.mov(esi, SpecAllow);
        asm.mov(rdx, programAddress);
        Call(asm, SyscallNumber.seccomp, zeroFrom: 3);
        asm.test(rax, rax);
        asm.jne(failed);
    }

    /// <summary>Loads the six arguments of an order from behind its number at <paramref name="order"/>.</summary>
    public static void LoadArguments(Assembler asm, AssemblerRegister64 order)
    {
        ArgumentNullException.ThrowIfNull(asm);
        asm.mov(rdi, __qword_ptr[order + 8]);
        asm.mov(rsi, __qword_ptr[order + 16]);
        asm.mov(rdx, __qword_ptr[order + 24]);
        asm.mov(r10, __qword_ptr[order + 32]);
        asm.mov(r8, __qword_ptr[order + 40]);
        asm.mov(r9, __qword_ptr[order + 48]);
    }

    /// <summary>A system call with the arguments from <paramref name="zeroFrom"/> on cleared (R8 is kept for clone).</summary>
    public static void Call(Assembler asm, SyscallNumber number, int zeroFrom)
    {
        ArgumentNullException.ThrowIfNull(asm);
        AssemblerRegister32[] arguments = [edi, esi, edx];
        for (int i = zeroFrom; i < arguments.Length; i++)
        {
            asm.xor(arguments[i], arguments[i]);
        }

        asm.xor(r10d, r10d);
        if (number != SyscallNumber.clone)
        {
            asm.xor(r8d, r8d);
        }

        asm.mov(eax, (int)number);
        asm.syscall();
    }

    /// <summary>Assembles the code to stand at <paramref name="address"/>, and finds its labels.</summary>
    public static byte[] Finish(Assembler asm, ulong address, ReadOnlySpan<Label> labels, Span<ulong> addresses)
    {
        ArgumentNullException.ThrowIfNull(asm);
        using MemoryStream code = new();
        AssemblerResult result = asm.Assemble(new StreamCodeWriter(code), address, BlockEncoderOptions.ReturnNewInstructionOffsets);
        for (int i = 0; i < labels.Length; i++)
        {
            addresses[i] = result.GetLabelRIP(labels[i]);
        }

        return code.ToArray();
    }

    // Moves RSI bytes at RDI; the flags say whether it worked.
    private static void Move(Assembler asm, HostVdso vdso, ulong target)
    {
        const int MayMoveFixed = 3;
        asm.mov(r8, target - vdso.Start);
        asm.add(r8, rdi);
        asm.mov(rdx, rsi);
        asm.mov(r10d, MayMoveFixed);
        asm.mov(eax, (int)SyscallNumber.mremap);
        asm.syscall();
        asm.cmp(rax, r8);
    }
}
