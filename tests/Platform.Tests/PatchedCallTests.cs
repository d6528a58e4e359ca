using System.Buffers.Binary;
using Iced.Intel;
using Moat.Linux;
using Moat.Platform.Systrap;
using Moat.TestSupport;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Tests;

/// <summary>System calls that go through a trampoline.</summary>
[Collection("children of this process")]
public sealed class PatchedCallTests() : PlatformTests(new SystrapPlatform())
{
    private const ulong Trampoline = 0x20000000;
    private const int Xmm3 = 160 + (3 * 16); // in the FXSAVE area
    private const int Features = 512;

    [Fact]
    public void PatchedCall_BringsItsRegistersAndGetsItsResult()
    {
        using IAddressSpace space = LoadPatched(asm =>
        {
            asm.mov(r12d, 12);
            asm.movq(xmm3, r12);
            asm.mov(eax, 39);
            asm.syscall();
            asm.mov(rbx, rax);
            asm.mov(r14, rcx);
            asm.movq(r13, xmm3);
            asm.mov(eax, 60);
            asm.syscall();
        });
        ulong behind = CodeAddress + (ulong)FirstSyscall + 2;
        foreach (bool wantsFpu in (ReadOnlySpan<bool>)[false, true])
        {
            using IContext context = Platform.NewContext();
            RegisterSet registers = Start();
            int users = 1;
            Assert.Equal(Errno.None, space.Reserve(ref users));
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            Assert.Equal((39UL, 12UL, behind), (registers.OrigRax, registers.R12, registers.Rip));
            if (wantsFpu)
            {
                byte[] state = new byte[context.FpuStateSize];
                context.ReadFpuState(state);
                Assert.Equal(12, state[Xmm3]);
            }

            registers.Rax = 1234;
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            Assert.Equal((60UL, 1234UL, behind, 12UL), (registers.OrigRax, registers.Rbx, registers.R14, registers.R13));
        }
    }

    [Fact]
    public void PatchedCall_AfterWhichEverythingIsDifferent_GoesOnSo()
    {
        using IAddressSpace space = LoadPatched(asm =>
        {
            Label loop = asm.CreateLabel();
            asm.Label(ref loop);
            asm.movq(r13, xmm3);
            asm.mov(eax, 39);
            asm.syscall();
            asm.jmp(loop);
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        byte[] state = new byte[context.FpuStateSize];
        for (ulong i = 0; i < 200; i++)
        {
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            Assert.Equal((i, i, i), (registers.R13, registers.R12, registers.Rbp));
            registers.R12 = i + 1;
            registers.Rbp = i + 1;
            registers.FsBase = 0x1000 * i;
            context.ReadFpuState(state);
            Assert.Equal(i, BinaryPrimitives.ReadUInt64LittleEndian(state.AsSpan(Xmm3)));
            BinaryPrimitives.WriteUInt64LittleEndian(state.AsSpan(Xmm3), i + 1);
            state[Features] |= 2;
            Assert.Equal(Errno.None, context.WriteFpuState(state));
        }
    }

    [Fact]
    public void Interrupt_DuringPatchedCalls_LosesNone()
    {
        int interrupts = 0;
        ulong calls = 0;
        InterruptWhile(
            asm =>
            {
                Label loop = asm.CreateLabel();
                asm.Label(ref loop);
                asm.inc(r12);
                asm.inc(__qword_ptr[rbx]);
                asm.mov(eax, 39);
                asm.syscall();
                asm.jmp(loop);
            },
            answers: null,
            (SwitchReason reason, ref RegisterSet registers, ulong counter) =>
            {
                if (reason == SwitchReason.Interrupted)
                {
                    interrupts++;
                    Assert.InRange(registers.R12, calls, calls + 1);
                    return;
                }

                Assert.Equal((SwitchReason.Syscall, 39UL), (reason, registers.OrigRax));
                calls++;
                Assert.Equal((calls, calls), (registers.R12, counter));
            });
        Assert.True(interrupts > 0 && calls > 0);
    }

    [Fact]
    public void Answers_AreGivenWithoutTheKernel_AsIfByIt()
    {
        using IAddressSpace space = LoadPatched(asm =>
        {
            asm.mov(rbp, rsp);
            asm.stc();
            asm.mov(eax, 39);
            asm.syscall();
            asm.setc(bl);
            asm.sub(rbp, rsp);
            asm.mov(r12, rax);
            asm.mov(r13, rcx);
            asm.mov(r14, r11);
            asm.mov(eax, 60);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        context.Answers = new CallAnswers { Pid = 77 };
        RegisterSet registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal((60UL, 77UL, 1UL, 0UL), (registers.OrigRax, registers.R12, registers.Rbx, registers.Rbp));
        Assert.Equal((CodeAddress + (ulong)FirstSyscall + 2, 1UL), (registers.R13, registers.R14 & 1));
        context.Answers = new CallAnswers { Tid = 77 };
        registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(39UL, registers.OrigRax);
        context.Answers = null;
        registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(39UL, registers.OrigRax);
    }

    [Fact]
    public void Interrupt_DuringAnswers_ComesAndLosesNone()
    {
        ulong calls = 0;
        InterruptWhile(
            asm =>
            {
                Label loop = asm.CreateLabel();
                asm.Label(ref loop);
                asm.inc(r12);
                asm.inc(__qword_ptr[rbx]);
                asm.mov(eax, 39);
                asm.syscall();
                asm.add(r13, rax);
                asm.jmp(loop);
            },
            answers: new CallAnswers { Pid = 1 },
            (SwitchReason reason, ref RegisterSet registers, ulong counter) =>
            {
                if (reason == SwitchReason.Syscall)
                {
                    Assert.Equal(39UL, registers.OrigRax); // one that was taken back
                    registers.Rax = 1;
                    Assert.Equal((registers.R13 + 1, registers.R12), (registers.R12, counter));
                    return;
                }

                Assert.Equal(SwitchReason.Interrupted, reason);
                Assert.InRange(registers.R12 - registers.R13, 0UL, 1UL);
                Assert.InRange(registers.R12 - counter, 0UL, 1UL);
                calls = registers.R12;
            });
        Assert.True(calls > 0);
    }

    [Fact]
    public void Interrupt_WhileTheFpuStateIsSaved_LosesNothing()
    {
        ulong calls = 0;
        bool wanted = false;
        InterruptWhile(
            asm =>
            {
                Label loop = asm.CreateLabel();
                asm.Label(ref loop);
                asm.movq(r13, xmm3);
                asm.inc(r13);
                asm.movq(xmm3, r13);
                asm.inc(__qword_ptr[rbx]);
                asm.mov(eax, 39);
                asm.syscall();
                asm.jmp(loop);
            },
            answers: null,
            (SwitchReason reason, ref RegisterSet registers, ulong counter) =>
            {
                if (reason == SwitchReason.Syscall)
                {
                    calls++;
                    Assert.Equal((calls, calls), (registers.R13, counter));
                    registers.R14 = calls; // a register that the call's result does not bring
                    wanted = calls % 2 == 0;
                }
            },
            context =>
            {
                if (wanted)
                {
                    byte[] state = new byte[context.FpuStateSize];
                    context.ReadFpuState(state);
                    wanted = false;
                    Assert.Equal(calls, BinaryPrimitives.ReadUInt64LittleEndian(state.AsSpan(Xmm3)));
                }
            });
        Assert.True(calls > 0);
    }

    private delegate void Check(SwitchReason reason, ref RegisterSet registers, ulong counter);

    private int FirstSyscall => Memory.Bytes.IndexOf((ReadOnlySpan<byte>)[0x0f, 0x05]);

    // Loads code, and sends the first system call in it through a trampoline.
    private IAddressSpace LoadPatched(Action<Assembler> write)
    {
        IAddressSpace space = LoadCode(write);
        ICallSitePatcher patcher = Platform.CallSites!;
        Assert.True(patcher.TryFind(Memory.Bytes[..4096], FirstSyscall, 39, out CallSitePatch patch));
        Assert.Equal(5, patch.Length);
        patcher.Write(patch, Memory.Bytes[..4096], CodeAddress, Trampoline, Memory.Bytes.Slice(4096, patcher.TrampolineSize));
        Assert.Equal(Errno.None, space.Map(new GuestAddress(Trampoline), 4096, Memory, 4096, MemoryAccess.Read | MemoryAccess.Execute, precommit: false));
        return space;
    }

    // Runs code, with a counter in memory at RBX, and interrupts it time and again.
    private void InterruptWhile(Action<Assembler> write, CallAnswers? answers, Check check, Action<IContext>? also = null)
    {
        const ulong Counter = 0x30000000;
        const int CounterOffset = 8192;
        using IAddressSpace space = LoadPatched(write);
        Assert.Equal(Errno.None, space.Map(new GuestAddress(Counter), 4096, Memory, CounterOffset, MemoryAccess.Read | MemoryAccess.Write, precommit: false));
        IContext context = Platform.NewContext();
        context.Answers = answers;
        bool stop = false;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            RegisterSet registers = Start();
            registers.Rbx = Counter;
            try
            {
                while (!Volatile.Read(ref stop))
                {
                    SwitchReason reason = context.Switch(space, ref registers).Reason;
                    check(reason, ref registers, BinaryPrimitives.ReadUInt64LittleEndian(Memory.Bytes[CounterOffset..]));
                    also?.Invoke(context);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }

            context.Dispose();
        });
        thread.Start();
        for (int i = 0; i < 600 && failure is null; i++)
        {
            context.Interrupt();
            Thread.Sleep(i % 20 == 0 ? 1 : 0);
        }

        Volatile.Write(ref stop, true);
        context.Interrupt();
        Assert.True(thread.Join(Patience.Limit));
        Assert.Null(failure);
    }
}
