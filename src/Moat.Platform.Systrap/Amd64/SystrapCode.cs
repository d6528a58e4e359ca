using Iced.Intel;
using Moat.Linux;
using Moat.Platform.Amd64;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>The machine code of a stub process.</summary>
/// <remarks>The first thread of a stub carries out orders. It never runs application code, uses no stack and no memory that the application could write, and its reports go through an
/// eventfd that only it can write. Threads of the application have a filter that leaves them futex(2) and rt_sigreturn(2), so it doesn't matter where in here they jump.</remarks>
internal sealed class SystrapCode
{
    /// <summary>The signal that stops an application's thread for the Sentry.</summary>
    public const Signal InterruptSignal = Signal.SIGUSR1;

    private const int SetTid = 0x100000; // CLONE_PARENT_SETTID
    private const int FutexWait = 0;

    private static readonly Signal[] s_handled = [Signal.SIGILL, Signal.SIGTRAP, Signal.SIGBUS, Signal.SIGFPE, InterruptSignal, Signal.SIGSEGV, Signal.SIGSYS];

    private SystrapCode(byte[] bytes, ReadOnlySpan<ulong> entries)
    {
        Bytes = bytes;
        Spawn = entries[0];
        Handler = entries[1];
        Restorer = entries[2];
        Fast = entries[3];
        FastHandedOver = entries[4];
        FastEnd = entries[5];
        FastLooked = entries[6];
        FastCommitted = entries[7];
        FastAnswered = entries[8];
        FastOwnCalls = entries[9];
        FastOwnCallsEnd = entries[10];
    }

    /// <summary>The code.</summary>
    public byte[] Bytes { get; }

    /// <summary>Makes the first stub; see <see cref="StubAssembler.Spawn"/>. It sets itself up, and reports as if it had been given an order.</summary>
    public ulong Spawn { get; }

    /// <summary>The signal handler.</summary>
    public ulong Handler { get; }

    /// <summary>What the kernel wants to be told as a handler's way back; it is not used.</summary>
    public ulong Restorer { get; }

    /// <summary>Where trampolines go: see <see cref="FastCallCode"/>.</summary>
    public ulong Fast { get; }

    /// <summary>From here on in <see cref="FastCallCode"/> the Sentry knows of the call.</summary>
    public ulong FastHandedOver { get; }

    /// <summary>From here up to <see cref="FastCommitted"/> a thread in <see cref="FastCallCode"/> has seen an answer in its slot.</summary>
    public ulong FastLooked { get; }

    /// <summary>From here up to <see cref="FastAnswered"/> it has it in RAX.</summary>
    public ulong FastCommitted { get; }

    /// <summary>The end of that.</summary>
    public ulong FastAnswered { get; }

    /// <summary>From here up to <see cref="FastOwnCallsEnd"/> it makes calls that were left to it.</summary>
    public ulong FastOwnCalls { get; }

    /// <summary>The end of that.</summary>
    public ulong FastOwnCallsEnd { get; }

    /// <summary>The end of <see cref="FastCallCode"/>.</summary>
    public ulong FastEnd { get; }

    /// <summary>Assembles the code.</summary>
    public static SystrapCode Assemble(StubLayout layout)
    {
        Assembler asm = new(64);
        Label spawn = asm.CreateLabel();
        Label first = asm.CreateLabel();
        Label die = asm.CreateLabel();
        Label handler = asm.CreateLabel();
        Label restorer = asm.CreateLabel();
        Label fast = asm.CreateLabel();
        FastCallPoints points = new(asm);
        Label fastEnd = asm.CreateLabel();

        asm.Label(ref spawn);
        StubAssembler.Spawn(asm, first);
        asm.Label(ref first);
        SetUpFirst(asm, layout, die);
        Work(asm, layout, die);
        asm.Label(ref die);
        asm.mov(edi, 1);
        StubAssembler.Call(asm, SyscallNumber.exit_group, zeroFrom: 1);
        asm.jmp(die);
        asm.Label(ref handler);
        HandlerCode.Emit(asm, ref restorer);
        asm.Label(ref fast);
        FastCallCode.Emit(asm, layout, points);
        asm.Label(ref fastEnd);
        asm.nop();

        Label[] labels = [spawn, handler, restorer, fast, points.HandedOver, fastEnd, points.Looked, points.Committed, points.Answered, points.OwnCalls,
            points.OwnCallsEnd];
        Span<ulong> entries = stackalloc ulong[labels.Length];
        byte[] bytes = StubAssembler.Finish(asm, layout.Start, labels, entries);
        return new SystrapCode(bytes, entries);
    }

    // A copy of the Sentry becomes the first stub: the Sentry's memory goes, then come the handlers and the filter.
    private static void SetUpFirst(Assembler asm, StubLayout layout, Label die)
    {
        if (layout.HostVdso is { } vdso)
        {
            StubAssembler.MoveVdso(asm, vdso, layout.Vdso, die);
        }

        StubAssembler.Unmap(asm, 0, layout.Start, die);
        StubAssembler.Unmap(asm, layout.InheritedEnd, layout.Vdso, die);
        StubAssembler.Unmap(asm, layout.VdsoEnd, StubPlace.TaskSize, die);

        const int LastSignal = 64;
        Label next = asm.CreateLabel();
        asm.mov(ebx, LastSignal);
        asm.Label(ref next);
        asm.mov(edi, ebx);
        SetAction(asm, layout.Data + StubLayout.IgnoreAction); // SIGKILL's and SIGSTOP's fail
        asm.dec(ebx);
        asm.jne(next);
        foreach (Signal signal in s_handled)
        {
            asm.mov(edi, (int)signal);
            SetAction(asm, layout.Data + StubLayout.HandlerAction);
            asm.test(rax, rax);
            asm.jne(die);
        }

        const int SetMask = 2;
        asm.mov(edi, SetMask);
        asm.mov(rsi, layout.Data + StubLayout.Zero);
        asm.xor(edx, edx);
        asm.mov(r10d, sizeof(ulong));
        asm.mov(eax, (int)SyscallNumber.rt_sigprocmask);
        asm.syscall();
        asm.xor(ebp, ebp);
        MapOrders(asm, layout, die);
        StubAssembler.Confine(asm, layout.Data + StubLayout.WorkerFilter, die);
    }

    private static void SetAction(Assembler asm, ulong action)
    {
        asm.mov(rsi, action);
        asm.xor(edx, edx);
        asm.mov(r10d, sizeof(ulong));
        asm.mov(eax, (int)SyscallNumber.rt_sigaction);
        asm.syscall();
    }

    // Maps the page of orders at RBP in the file.
    private static void MapOrders(Assembler asm, StubLayout layout, Label die)
    {
        const int Read = 1;
        const int SharedFixed = 0x11;
        asm.mov(rdi, layout.Orders);
        asm.mov(esi, MemoryFile.PageSize);
        asm.mov(edx, Read);
        asm.mov(r10d, SharedFixed);
        asm.mov(r8d, layout.OrdersFd);
        asm.mov(r9, rbp);
        asm.mov(eax, (int)SyscallNumber.mmap);
        asm.syscall();
        asm.cmp(rax, rdi);
        asm.jne(die);
    }

    // RBX: the page of orders, R12: the sequence number of the last ones, R13: the order in work, R14: how many are left, R15: the error of the first that failed.
    private static void Work(Assembler asm, StubLayout layout, Label die)
    {
        Label born = asm.CreateLabel();
        Label worker = asm.CreateLabel();
        Label wait = asm.CreateLabel();
        Label have = asm.CreateLabel();
        Label next = asm.CreateLabel();
        Label done = asm.CreateLabel();
        Label makeThread = asm.CreateLabel();
        Label makeProcess = asm.CreateLabel();
        Label result = asm.CreateLabel();
        Label advance = asm.CreateLabel();
        Label newProcess = asm.CreateLabel();
        Label newThread = asm.CreateLabel();

        asm.Label(ref born);
        StubAssembler.DieWithParent(asm);
        asm.mov(rbx, layout.Orders);
        asm.xor(r12d, r12d);

        asm.Label(ref worker);
        asm.mov(eax, __dword_ptr[rbx + OrderPage.Sequence]);
        asm.cmp(eax, r12d);
        asm.jne(have);
        asm.Label(ref wait);
        asm.mov(rdi, rbx);
        asm.mov(esi, FutexWait);
        asm.mov(edx, r12d);
        asm.xor(r10d, r10d);
        asm.mov(eax, (int)SyscallNumber.futex);
        asm.syscall();
        asm.jmp(worker);

        asm.Label(ref have);
        asm.mov(r12d, eax);
        asm.mov(r14d, __dword_ptr[rbx + OrderPage.Count]);
        asm.lea(r13, __[rbx + OrderPage.Orders]);
        asm.xor(r15d, r15d);
        asm.Label(ref next);
        asm.test(r14d, r14d);
        asm.je(done);
        asm.mov(rax, __qword_ptr[r13]);
        asm.cmp(eax, (int)OrderPage.MakeThread);
        asm.je(makeThread);
        asm.cmp(eax, (int)OrderPage.MakeProcess);
        asm.je(makeProcess);
        StubAssembler.LoadArguments(asm, r13);
        asm.syscall();
        asm.Label(ref result);
        asm.cmp(rax, -4096);
        asm.jbe(advance);
        asm.neg(eax);
        asm.test(r15d, r15d);
        asm.cmove(r15d, eax);
        asm.Label(ref advance);
        asm.add(r13, StubOrders.OrderSize);
        asm.dec(r14d);
        asm.jmp(next);

        asm.Label(ref done);
        asm.mov(rsi, layout.Data + StubLayout.Numbers);
        asm.lea(rsi, __[rsi + (r15 * 8)]);
        Label report = asm.CreateLabel();
        asm.Label(ref report);
        asm.mov(edi, __dword_ptr[rbx + OrderPage.DoneFd]);
        asm.mov(edx, sizeof(ulong));
        asm.mov(eax, (int)SyscallNumber.write);
        asm.syscall();
        asm.jmp(worker);

        asm.Label(ref makeProcess);
        asm.mov(rbp, __qword_ptr[r13 + 8]);
        asm.mov(edi, StubAssembler.ProcessFlags);
        asm.xor(esi, esi);
        StubAssembler.Call(asm, SyscallNumber.clone, zeroFrom: 2);
        asm.test(rax, rax);
        asm.je(newProcess);
        asm.js(result);
        asm.mov(rsi, layout.Scratch);
        asm.add(rax, OrderPage.ProcessBias);
        asm.mov(__qword_ptr[rsi], rax);
        asm.jmp(report);

        asm.Label(ref newProcess);
        MapOrders(asm, layout, die);
        asm.jmp(born);

        asm.Label(ref makeThread);
        asm.mov(rbp, __qword_ptr[r13 + 8]);
        asm.mov(edi, StubAssembler.ThreadFlags | SetTid);
        asm.xor(esi, esi);
        asm.lea(rdx, __[rbp + ThreadSlot.Tid]);
        asm.xor(r8d, r8d);
        StubAssembler.Call(asm, SyscallNumber.clone, zeroFrom: 3);
        asm.test(rax, rax);
        asm.jne(result);

        // The new thread: without the filter it must not live on. It stops in the handler, through a call that no filter allows.
        asm.Label(ref newThread);
        asm.lea(rdi, __[rbp + ThreadSlot.AlternateStack]);
        asm.xor(esi, esi);
        asm.mov(eax, (int)SyscallNumber.sigaltstack);
        asm.syscall();
        StubAssembler.Confine(asm, layout.Data + StubLayout.ApplicationFilter, die);
        asm.mov(eax, -1);
        asm.syscall();
    }
}
