using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>The stub's half of a hand-over. RBX is the slot; RAX, RCX, RDX, RSI, RDI, R10 and R11 are lost.</summary>
internal static class HandOverCode
{
    private const int FutexWait = 0;
    private const int FutexWake = 1;

    /// <summary>Gives the Sentry its turn, waits for the own one, and makes the calls that the Sentry has left to the thread.</summary>
    /// <param name="asm">Where to.</param>
    /// <param name="handedOver">Emitted where the Sentry has its turn.</param>
    /// <param name="ownCalls">Emitted where the calls are made; from there on all registers but RBX are lost.</param>
    /// <param name="ownCallsEnd">Emitted behind that.</param>
    public static void Emit(Assembler asm, ref Label handedOver, ref Label ownCalls, ref Label ownCallsEnd)
    {
        Label wait = asm.CreateLabel();
        Label spin = asm.CreateLabel();
        Label yield = asm.CreateLabel();
        Label sleep = asm.CreateLabel();
        Label nextCall = asm.CreateLabel();
        asm.xor(eax, eax);
        asm.xchg(__dword_ptr[rbx + ThreadSlot.Turn], eax);
        asm.Label(ref handedOver);
        asm.cmp(eax, HandOver.Stub);
        asm.je(wait); // nobody sleeps; any other value, also one that the application wrote, is worth a wake-up
        asm.lea(rdi, __[rbx + ThreadSlot.Turn]);
        asm.mov(esi, FutexWake);
        asm.mov(edx, 1);
        asm.mov(eax, (int)SyscallNumber.futex);
        asm.syscall();

        asm.Label(ref wait);
        asm.xor(esi, esi);
        asm.xor(r10d, r10d);
        asm.Label(ref spin);
        asm.test(__dword_ptr[rbx + ThreadSlot.Turn], HandOver.StubBit);
        asm.jne(ownCalls);
        asm.cmp(esi, __dword_ptr[rbx + ThreadSlot.SpinLimit]);
        asm.jge(yield);
        asm.inc(esi);
        asm.pause();
        asm.jmp(spin);

        asm.Label(ref yield);
        asm.rdtscp();
        asm.mov(edi, eax);
        asm.mov(__dword_ptr[rbx + ThreadSlot.Place], ecx);
        asm.cmp(r10d, __dword_ptr[rbx + ThreadSlot.YieldLimit]);
        asm.jge(sleep);
        asm.inc(r10d);
        asm.mov(eax, (int)SyscallNumber.sched_yield);
        asm.syscall();
        asm.rdtsc();
        asm.sub(eax, edi);
        asm.cmp(eax, __dword_ptr[rbx + ThreadSlot.LongestYield]);
        asm.jbe(spin);
        asm.mov(__dword_ptr[rbx + ThreadSlot.LongestYield], eax);
        asm.jmp(spin);

        asm.Label(ref sleep);
        asm.xor(eax, eax);
        asm.mov(edx, HandOver.SentryStubSleeps);
        asm.@lock.cmpxchg(__dword_ptr[rbx + ThreadSlot.Turn], edx);
        asm.lea(rdi, __[rbx + ThreadSlot.Turn]);
        asm.mov(esi, FutexWait);
        asm.xor(r10d, r10d);
        asm.mov(eax, (int)SyscallNumber.futex);
        asm.syscall();
        asm.jmp(wait);
        asm.Label(ref ownCalls);
        asm.mov(eax, __dword_ptr[rbx + ThreadSlot.OwnCalls]);
        asm.test(eax, eax);
        asm.je(ownCallsEnd);
        asm.lea(r10, __[rbx + ThreadSlot.OwnCalls]);
        asm.Label(ref nextCall);
        asm.mov(rdi, __qword_ptr[r10 + 8]);
        asm.mov(rsi, __qword_ptr[r10 + 16]);
        asm.mov(rdx, __qword_ptr[r10 + 24]);
        asm.syscall();
        asm.add(r10, ThreadSlot.OwnCallSize);
        asm.mov(eax, __dword_ptr[r10]);
        asm.test(eax, eax);
        asm.jne(nextCall);
        asm.mov(__dword_ptr[rbx + ThreadSlot.OwnCalls], eax); // they are made
        asm.Label(ref ownCallsEnd);
    }
}
