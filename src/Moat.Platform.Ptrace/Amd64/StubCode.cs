using Iced.Intel;
using Moat.Linux;
using Moat.Platform.Amd64;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Ptrace.Amd64;

/// <summary>The machine code of a stub process, assembled for one address. It uses no stack and trusts nothing that the application could write:
/// its orders come in registers, which only the tracer sets, and from a page that is mapped read-only in the stub.</summary>
/// <remarks>While the application runs, every system call stops before the host sees it (PTRACE_SYSEMU), also one that the application makes by jumping in here. The code makes
/// real calls only while the tracer lets it run with PTRACE_CONT.</remarks>
internal sealed class StubCode
{
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
    /// <param name="inheritedEnd">Behind what the first stub keeps of the Sentry's memory from there on: everything else is unmapped.</param>
    /// <param name="filterAddress">A <c>struct sock_fprog</c> in the region.</param>
    /// <param name="vdso">The host's vDSO, which is kept; null if there is none.</param>
    /// <param name="vdsoAddress">Where it goes, above that.</param>
    public static StubCode Assemble(ulong codeAddress, ulong inheritedEnd, ulong filterAddress, HostVdso? vdso, ulong vdsoAddress)
    {
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

        Label processStart = asm.CreateLabel();
        asm.Label(ref spawn);
        StubAssembler.Spawn(asm, processStart);

        // A process that is parked has no tracer whose end would kill it: it dies with its parent, the Sentry's first thread. Whoever seizes a new process makes sure
        // that it got that far, by doing it again.
        asm.Label(ref processStart);
        StubAssembler.DieWithParent(asm);

        asm.Label(ref park);
        StubAssembler.Call(asm, SyscallNumber.pause, zeroFrom: 0);
        asm.jmp(park);

        Label done = asm.CreateLabel();
        asm.Label(ref setUpFirst);
        if (vdso is not null)
        {
            StubAssembler.MoveVdso(asm, vdso, vdsoAddress, done);
        }

        ulong vdsoEnd = vdsoAddress + (vdso is null ? 0 : vdso.End - vdso.Start);
        StubAssembler.Unmap(asm, 0, codeAddress, done);
        StubAssembler.Unmap(asm, inheritedEnd, vdsoAddress, done);
        StubAssembler.Unmap(asm, vdsoEnd, StubPlace.TaskSize, done);
        StubAssembler.Confine(asm, filterAddress, done);

        asm.Label(ref setUpProcess);
        StubAssembler.DieWithParent(asm);
        asm.int3();

        asm.Label(ref runList);
        asm.test(r12, r12);
        asm.je(done);
        asm.mov(rax, __qword_ptr[rbx]);
        StubAssembler.LoadArguments(asm, rbx);
        asm.syscall();
        asm.cmp(rax, -4096);
        asm.ja(done);
        asm.add(rbx, StubOrders.OrderSize);
        asm.dec(r12);
        asm.jmp(runList);
        asm.Label(ref done);
        asm.int3();

        asm.Label(ref single);
        asm.syscall();
        asm.int3();

        asm.Label(ref cloneThread);
        asm.mov(edi, StubAssembler.ThreadFlags);
        asm.xor(esi, esi);
        StubAssembler.Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(park);
        asm.int3();

        asm.Label(ref cloneProcess);
        asm.mov(edi, StubAssembler.ProcessFlags);
        asm.xor(esi, esi);
        StubAssembler.Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(processStart);
        asm.int3();

        asm.Label(ref exit);
        asm.xor(edi, edi);
        StubAssembler.Call(asm, SyscallNumber.exit, zeroFrom: 1);
        asm.hlt();

        Label[] labels = [spawn, park, runList, single, cloneThread, cloneProcess, exit, setUpFirst, setUpProcess];
        ulong[] entries = new ulong[labels.Length];
        return new StubCode(StubAssembler.Finish(asm, codeAddress, labels, entries), entries);
    }
}
