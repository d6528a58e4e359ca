using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Ptrace.Amd64;

/// <summary>The machine code of a stub process, assembled for one address. It uses no stack and trusts nothing that the application could write:
/// its orders come in registers, which only the tracer sets, and from a page that is mapped read-only in the stub.</summary>
/// <remarks>While the application runs, every system call stops before the host sees it (PTRACE_SYSEMU), also one that the application makes by jumping in here. The code makes
/// real calls only while the tracer lets it run with PTRACE_CONT.</remarks>
internal sealed class StubCode
{
    /// <summary>Bytes of one entry of a call list: the number and six arguments.</summary>
    public const int ListEntrySize = 56;

    /// <summary>Flags of the clone that makes another thread of a stub.</summary>
    private const int ThreadFlags = CloneVm | CloneFs | CloneFiles | CloneSighand | CloneThreadFlag | CloneSysvsem;

    /// <summary>Flags of the clone that makes another stub process: a child of the Sentry (CLONE_PARENT), with the Sentry's descriptors.</summary>
    private const int ProcessFlags = CloneFiles | CloneParent | Sigchld;

    private const int CloneVm = 0x100;
    private const int CloneFs = 0x200;
    private const int CloneFiles = 0x400;
    private const int CloneSighand = 0x800;
    private const int CloneVfork = 0x4000;
    private const int CloneParent = 0x8000;
    private const int CloneThreadFlag = 0x10000;
    private const int CloneSysvsem = 0x40000;
    private const int Sigchld = 17;
    private const int Sigkill = 9;
    private const int PrSetDeathSignal = 1;
    private const int PrSetNoNewPrivs = 38;
    private const int PrSetSeccomp = 22;
    private const int SeccompModeFilter = 2;

    private StubCode(byte[] bytes, ulong[] entries)
    {
        Bytes = bytes;
        Spawn = entries[0];
        Park = entries[1];
        RunList = entries[2];
        Single = entries[3];
        CloneThread = entries[4];
        CloneProcess = entries[5];
        Exit = entries[6];
        SetUpFirst = entries[7];
        SetUpProcess = entries[8];
    }

    /// <summary>The code.</summary>
    public byte[] Bytes { get; }

    /// <summary>Called from the Sentry with the C convention, <c>int spawn(void *stackTop, int *pid)</c>: makes the first stub, writes its pid, and returns the pid of a middle child that
    /// has ended and is to be reaped, or a negative errno. The stub parks at once; it is a copy of the Sentry until <see cref="SetUpFirst"/> has run.</summary>
    public ulong Spawn { get; }

    /// <summary>Waits until a tracer comes.</summary>
    public ulong Park { get; }

    /// <summary>Makes R12 calls from the list at RBX, then int3. R12 is what remains: not 0 if a call failed, with its error in RAX.</summary>
    public ulong RunList { get; }

    /// <summary>Makes the call that is in the registers, then int3 with the result in RAX.</summary>
    public ulong Single { get; }

    /// <summary>Makes a thread, which parks, then int3 with its tid (or error) in RAX.</summary>
    public ulong CloneThread { get; }

    /// <summary>Makes a process, which parks, then int3 with its pid (or error) in RAX.</summary>
    public ulong CloneProcess { get; }

    /// <summary>Ends the thread.</summary>
    public ulong Exit { get; }

    /// <summary>Makes a stub of the copy of the Sentry: its memory goes, the filter comes; then int3 with the first error, or 0, in RAX.</summary>
    public ulong SetUpFirst { get; }

    /// <summary>What a process does not inherit from the stub that it was cloned from; then int3 with an error, or 0, in RAX.</summary>
    public ulong SetUpProcess { get; }

    /// <summary>Assembles the code to stand at <paramref name="codeAddress"/>.</summary>
    /// <param name="codeAddress">Where the code is, in the Sentry (for <see cref="Spawn"/>) and in every stub.</param>
    /// <param name="stubStart">The first byte of the stub region: everything below is unmapped in a new stub.</param>
    /// <param name="stubEnd">Its end: everything from there on is unmapped.</param>
    /// <param name="filterAddress">A <c>struct sock_fprog</c> in the region.</param>
    public static StubCode Assemble(ulong codeAddress, ulong stubStart, ulong stubEnd, ulong filterAddress)
    {
        const ulong TaskSize = 0x7ffffffff000;
        Assembler asm = new(64);
        Label spawn = asm.CreateLabel();
        Label park = asm.CreateLabel();
        Label runList = asm.CreateLabel();
        Label single = asm.CreateLabel();
        Label cloneThread = asm.CreateLabel();
        Label cloneProcess = asm.CreateLabel();
        Label exit = asm.CreateLabel();
        Label setUpFirst = asm.CreateLabel();
        Label setUpProcess = asm.CreateLabel();

        // Two steps: a child that shares the Sentry's memory has no rseq area registered, and so has the stub that it makes. One made by the Sentry's
        // own thread would inherit the registration, and die when its area is unmapped.
        Label middle = asm.CreateLabel();
        Label processStart = asm.CreateLabel();
        asm.Label(ref spawn);
        asm.mov(r8, rsi);
        asm.mov(rsi, rdi);
        asm.mov(edi, CloneVm | CloneVfork | CloneFiles | Sigchld);
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

        // A process that is parked has no tracer whose end would kill it: it dies with its parent, the Sentry's first thread. Whoever seizes a new process makes sure
        // that it got that far, by doing it again.
        asm.Label(ref processStart);
        asm.mov(edi, PrSetDeathSignal);
        asm.mov(esi, Sigkill);
        Call(asm, SyscallNumber.prctl, zeroFrom: 2);

        asm.Label(ref park);
        Call(asm, SyscallNumber.pause, zeroFrom: 0);
        asm.jmp(park);

        Label done = asm.CreateLabel();
        asm.Label(ref setUpFirst);
        asm.xor(edi, edi);
        asm.mov(rsi, stubStart);
        Call(asm, SyscallNumber.munmap, zeroFrom: 2);
        asm.test(rax, rax);
        asm.jne(done);
        asm.mov(rdi, stubEnd);
        asm.mov(rsi, TaskSize - stubEnd);
        Call(asm, SyscallNumber.munmap, zeroFrom: 2);
        asm.test(rax, rax);
        asm.jne(done);
        asm.mov(edi, PrSetNoNewPrivs);
        asm.mov(esi, 1);
        Call(asm, SyscallNumber.prctl, zeroFrom: 2);
        asm.test(rax, rax);
        asm.jne(done);
        asm.mov(edi, PrSetSeccomp);
        asm.mov(esi, SeccompModeFilter);
        asm.mov(rdx, filterAddress);
        Call(asm, SyscallNumber.prctl, zeroFrom: 3);
        asm.test(rax, rax);
        asm.jne(done);

        asm.Label(ref setUpProcess);
        asm.mov(edi, PrSetDeathSignal);
        asm.mov(esi, Sigkill);
        Call(asm, SyscallNumber.prctl, zeroFrom: 2);
        asm.int3();

        asm.Label(ref runList);
        asm.test(r12, r12);
        asm.je(done);
        asm.mov(rax, __qword_ptr[rbx]);
        asm.mov(rdi, __qword_ptr[rbx + 8]);
        asm.mov(rsi, __qword_ptr[rbx + 16]);
        asm.mov(rdx, __qword_ptr[rbx + 24]);
        asm.mov(r10, __qword_ptr[rbx + 32]);
        asm.mov(r8, __qword_ptr[rbx + 40]);
        asm.mov(r9, __qword_ptr[rbx + 48]);
        asm.syscall();
        asm.cmp(rax, -4096);
        asm.ja(done);
        asm.add(rbx, ListEntrySize);
        asm.dec(r12);
        asm.jmp(runList);
        asm.Label(ref done);
        asm.int3();

        asm.Label(ref single);
        asm.syscall();
        asm.int3();

        asm.Label(ref cloneThread);
        asm.mov(edi, ThreadFlags);
        asm.xor(esi, esi);
        Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(park);
        asm.int3();

        asm.Label(ref cloneProcess);
        asm.mov(edi, ProcessFlags);
        asm.xor(esi, esi);
        Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(processStart);
        asm.int3();

        asm.Label(ref exit);
        asm.xor(edi, edi);
        Call(asm, SyscallNumber.exit, zeroFrom: 1);
        asm.hlt();

        using MemoryStream code = new();
        AssemblerResult result = asm.Assemble(new StreamCodeWriter(code), codeAddress, BlockEncoderOptions.ReturnNewInstructionOffsets);
        Label[] labels = [spawn, park, runList, single, cloneThread, cloneProcess, exit, setUpFirst, setUpProcess];
        return new StubCode(code.ToArray(), Array.ConvertAll(labels, label => result.GetLabelRIP(label)));
    }

    // A system call with the arguments from zeroFrom on cleared.
    private static void Call(Assembler asm, SyscallNumber number, int zeroFrom)
    {
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
}
