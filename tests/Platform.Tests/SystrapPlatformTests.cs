using Iced.Intel;
using Moat.Linux;
using Moat.Platform.Systrap;
using Moat.Platform.Systrap.Amd64;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Tests;

[Collection("children of this process")]
public sealed class SystrapPlatformTests() : PlatformTests(new SystrapPlatform())
{
    [Fact]
    public void Stub_HoldsNothingOfTheSentrys_AndEachThreadItsFilters()
    {
        using IAddressSpace space = Platform.NewAddressSpace().Value;
        List<int> stubs = HostProcesses.Children().FindAll(static stub => File.ReadAllText($"/proc/{stub}/maps").Length > 0); // the others are waiting to be reaped
        Assert.InRange(stubs.Count, 2, 3); // the first, ours, and one that is kept ready or still being made
        foreach (int stub in stubs)
        {
            Assert.All(
                File.ReadAllLines($"/proc/{stub}/maps"),
                line => Assert.Matches("^7ff[b-e]00[01]0[0-9a-f]{4}-|^ffffffffff600000|moat-threads", line));
            string[] threads = Directory.GetDirectories($"/proc/{stub}/task");
            foreach (string thread in threads)
            {
                string status = File.ReadAllText($"{thread}/status");
                int filters = thread.EndsWith($"/{stub}", StringComparison.Ordinal) ? 1 : 2;
                Assert.Contains($"\nSeccomp_filters:\t{filters}\n", status, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void PatchedCall_BringsItsRegistersAndGetsItsResult()
    {
        const ulong Trampoline = 0x20000000;
        using IAddressSpace space = LoadCode(asm =>
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
        int syscall = Memory.Bytes.IndexOf((ReadOnlySpan<byte>)[0x0f, 0x05]);
        ICallSitePatcher patcher = Platform.CallSites!;
        int length = patcher.FindPatch(Memory.Bytes[..syscall], 39);
        Assert.Equal(5, length);
        patcher.Write(CodeAddress + (ulong)syscall, Memory.Bytes.Slice(syscall - length, length), Trampoline, Memory.Bytes.Slice(4096, patcher.TrampolineSize));
        Assert.Equal(Errno.None, space.Map(new GuestAddress(Trampoline), 4096, Memory, 4096, MemoryAccess.Read | MemoryAccess.Execute, precommit: false));
        foreach (bool wantsFpu in (ReadOnlySpan<bool>)[false, true])
        {
            using IContext context = Platform.NewContext();
            RegisterSet registers = Start();
            int users = 1;
            Assert.Equal(Errno.None, space.Reserve(ref users));
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            Assert.Equal((39UL, 12UL, CodeAddress + (ulong)syscall + 2), (registers.OrigRax, registers.R12, registers.Rip));
            if (wantsFpu)
            {
                byte[] state = new byte[context.FpuStateSize];
                context.ReadFpuState(state);
                Assert.Equal(12, state[160 + (3 * 16)]); // XMM3
            }

            registers.Rax = 1234;
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            Assert.Equal((60UL, 1234UL, CodeAddress + (ulong)syscall + 2, 12UL), (registers.OrigRax, registers.Rbx, registers.R14, registers.R13));
        }
    }

    [Theory]
    [InlineData("b827000000", 39, 0)] // it may be the end of something longer
    [InlineData("90b827000000", 39, 5)]
    [InlineData("90b827000000", 40, 0)] // another number was in RAX
    [InlineData("41b827000000", 39, 0)] // mov r8d, 39
    [InlineData("9048c7c027000000", 39, 7)]
    [InlineData("4c8b4c2408", 39, 5)]
    [InlineData("31c0", 0, 0)]
    public void FindPatch_TakesOnlyWhatMeansTheSameElsewhere(string code, ulong number, int length) =>
        Assert.Equal(length, Platform.CallSites!.FindPatch(Convert.FromHexString(code), number));

    /// <summary>An application that only says that it stops, and so never takes the memory from itself that is not its own any more.</summary>
    [Fact]
    public void Unmap_ThatTheApplicationDoesNotMake_KeepsThePagesUntilItIsProven()
    {
        const ulong DataAddress = 0x700000;
        using MemoryFile file = new(1 << 20);
        int page = file.Allocate(1, out _).Value;
        file.Bytes(page, 0, 1)[0] = 55;
        using IAddressSpace space = LoadCode(asm =>
        {
            Label wait = asm.CreateLabel();
            asm.rdgsbase(rbx);
            asm.mov(rax, CodeAddress);
            asm.mov(__qword_ptr[rbx + ThreadSlot.FastContext + (16 * 8)], rax); // RIP
            asm.mov(__dword_ptr[rbx + ThreadSlot.Reason], (int)HandOverReason.FastCall);
            asm.mov(__dword_ptr[rbx + ThreadSlot.Turn], HandOver.Sentry);
            asm.Label(ref wait);
            asm.test(__dword_ptr[rbx + ThreadSlot.Turn], HandOver.StubBit);
            asm.je(wait);
            asm.mov(rcx, DataAddress);
            asm.movzx(r12d, __byte_ptr[rcx]);
            asm.mov(eax, 60);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        Assert.Equal(Errno.None, space.Map(new GuestAddress(DataAddress), 4096, file, (ulong)page * 4096, MemoryAccess.Read, precommit: true));
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        space.Unmap(new GuestAddress(DataAddress), 4096);
        space.Retire(file, page, 1);
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(60UL, registers.OrigRax);
        Assert.Equal(55UL, registers.R12); // it has seen the page, which is nobody else's yet
        Assert.Equal(4096UL, file.UsedBytes);

        space.Flush();
        Assert.Equal(0UL, file.UsedBytes);
        registers.Rip = CodeAddress;
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        SwitchResult result = context.Switch(space, ref registers);
        Assert.Equal((SwitchReason.Fault, DataAddress), (result.Reason, result.Address.Value));
    }

    [Fact]
    public void Interrupt_DuringPatchedCalls_LosesNone()
    {
        const ulong Trampoline = 0x20000000;
        using IAddressSpace space = LoadCode(asm =>
        {
            Label loop = asm.CreateLabel();
            asm.Label(ref loop);
            asm.inc(r12);
            asm.mov(eax, 39);
            asm.syscall();
            asm.jmp(loop);
        });
        int syscall = Memory.Bytes.IndexOf((ReadOnlySpan<byte>)[0x0f, 0x05]);
        ICallSitePatcher patcher = Platform.CallSites!;
        patcher.Write(CodeAddress + (ulong)syscall, Memory.Bytes.Slice(syscall - 5, 5), Trampoline, Memory.Bytes.Slice(4096, patcher.TrampolineSize));
        Assert.Equal(Errno.None, space.Map(new GuestAddress(Trampoline), 4096, Memory, 4096, MemoryAccess.Read | MemoryAccess.Execute, precommit: false));
        IContext context = Platform.NewContext();
        bool stop = false;
        ulong calls = 0;
        ulong counted = 0;
        int interrupts = 0;
        Thread thread = new(() =>
        {
            RegisterSet registers = Start();
            while (!Volatile.Read(ref stop) || calls == 0)
            {
                SwitchReason reason = context.Switch(space, ref registers).Reason;
                if (reason == SwitchReason.Interrupted)
                {
                    interrupts++;
                    continue;
                }

                Assert.Equal(SwitchReason.Syscall, reason);
                Assert.Equal(39UL, registers.OrigRax);
                calls++;
                counted = registers.R12;
            }

            context.Dispose();
        });
        thread.Start();
        for (int i = 0; i < 300; i++)
        {
            context.Interrupt();
            Thread.Sleep(i % 10 == 0 ? 1 : 0);
        }

        Volatile.Write(ref stop, true);
        Assert.True(thread.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(calls, counted);
        Assert.True(interrupts > 0);
    }
}
