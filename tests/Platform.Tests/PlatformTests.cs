using System.Buffers.Binary;
using Iced.Intel;
using Moat.Linux;
using Moat.Platform;
using Moat.TestSupport;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Tests;

/// <summary>What every platform does.</summary>
public abstract class PlatformTests(IPlatform platform) : IDisposable
{
    protected const ulong CodeAddress = 0x400000;
    private const ulong DataAddress = 0x600000;
        private protected TestMemory Memory { get; } = new();

    protected IPlatform Platform { get; } = platform;

    public void Dispose()
    {
        Platform.Dispose();
        Memory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Switch_AtSyscall_ReportsNumberAndArgumentsAndKeepsRegisters()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(eax, 39);
            asm.mov(edi, 7);
            asm.syscall();
            asm.mov(rbx, rax);
            asm.mov(eax, 60);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(39UL, registers.OrigRax);
        Assert.Equal(7UL, registers.Rdi);
        registers.Rax = 1234;
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(60UL, registers.OrigRax);
        Assert.Equal(1234UL, registers.Rbx);
    }

    [Fact]
    public void Switch_OnUnmappedPage_FaultsAndGoesOnWhenMapped()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(rcx, DataAddress);
            asm.mov(__dword_ptr[rcx], 0x1234);
            asm.mov(eax, 1);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        SwitchResult result = context.Switch(space, ref registers);
        Assert.Equal(SwitchReason.Fault, result.Reason);
        Assert.Equal(DataAddress, result.Address.Value);
        Assert.Equal(Errno.None, space.Map(new GuestAddress(DataAddress), 4096, Memory, 8192, MemoryAccess.Read | MemoryAccess.Write, precommit: false));
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(0x1234, BinaryPrimitives.ReadInt32LittleEndian(Memory.Bytes[8192..]));
    }

    [Fact]
    public void Interrupt_WhileRunning_StopsTheLoop()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            Label loop = asm.CreateLabel();
            asm.Label(ref loop);
            asm.jmp(loop);
        });
        SwitchReason reason = default;
        IContext? context = Platform.NewContext();
        using ManualResetEventSlim started = new();
        Thread thread = new(() =>
        {
            RegisterSet registers = Start();
            started.Set();
            reason = context.Switch(space, ref registers).Reason;
            context.Dispose();
        });
        thread.Start();
        started.Wait(TestContext.Current.CancellationToken);
        context.Interrupt();
        Assert.True(thread.Join(Patience.Limit));
        Assert.Equal(SwitchReason.Interrupted, reason);
    }

    [Fact]
    public void Int80_IsNotACall()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(eax, 20);
            asm.@int(0x80);
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        SwitchResult result = context.Switch(space, ref registers);
        Assert.Equal(SwitchReason.Exception, result.Reason);
        Assert.Equal((int)Signal.SIGSEGV, result.Signal);
    }

    [Fact]
    public void Protect_WhileAnotherThreadRuns_TakesEffectAtOnce()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            Label loop = asm.CreateLabel();
            asm.mov(rcx, DataAddress);
            asm.Label(ref loop);
            asm.inc(__dword_ptr[rcx]);
            asm.jmp(loop);
        });
        Assert.Equal(Errno.None, space.Map(new GuestAddress(DataAddress), 4096, Memory, 8192, MemoryAccess.Read | MemoryAccess.Write, precommit: false));
        SwitchResult result = default;
        Thread thread = new(() =>
        {
            using IContext context = Platform.NewContext();
            RegisterSet registers = Start();
            do
            {
                result = context.Switch(space, ref registers);
            }
            while (result.Reason == SwitchReason.Interrupted);
        });
        thread.Start();
        while (BinaryPrimitives.ReadInt32LittleEndian(Memory.Bytes[8192..]) == 0)
        {
            Thread.Yield();
        }

        space.Protect(new GuestAddress(DataAddress), 4096, MemoryAccess.Read);
        Assert.True(thread.Join(Patience.Limit));
        Assert.Equal(SwitchReason.Fault, result.Reason);
        Assert.Equal(2, result.SignalCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UnmapAndProtect_WhileTheApplicationIsStopped_AreInEffectWhenItGoesOn(bool unmap)
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(rcx, DataAddress);
            asm.mov(__dword_ptr[rcx], 1);
            asm.mov(eax, 39);
            asm.syscall();
            asm.mov(rcx, DataAddress);
            asm.mov(__dword_ptr[rcx], 2);
            asm.mov(eax, 60);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        GuestAddress data = new(DataAddress);
        const MemoryAccess ReadWrite = MemoryAccess.Read | MemoryAccess.Write;
        for (int i = 0; i < 3; i++)
        {
            registers.Rip = CodeAddress;
            Assert.Equal(Errno.None, space.Map(data, 4096, Memory, 8192, ReadWrite, precommit: true));
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            if (unmap)
            {
                space.Unmap(data, 4096);
            }
            else
            {
                space.Protect(data, 4096, MemoryAccess.Read);
            }

            SwitchResult result = context.Switch(space, ref registers);
            Assert.Equal(SwitchReason.Fault, result.Reason);
            Assert.Equal(unmap ? 1 : 2, result.SignalCode);
            Assert.Equal(1, BinaryPrimitives.ReadInt32LittleEndian(Memory.Bytes[8192..]));
            Assert.Equal(Errno.None, space.Map(data, 4096, Memory, 8192, ReadWrite, precommit: true));
            Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
            Assert.Equal(60UL, registers.OrigRax);
        }
    }

    [Fact]
    public void Offer_IsThereWhenItIsTaken()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(rcx, DataAddress);
            asm.mov(ebx, __dword_ptr[rcx]);
            asm.mov(eax, 39);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        BinaryPrimitives.WriteInt32LittleEndian(Memory.Bytes[8192..], 77);
        GuestAddress data = new(DataAddress);
        Assert.Equal(SwitchReason.Fault, context.Switch(space, ref registers).Reason);
        space.Offer(data, 4096, Memory, 8192, MemoryAccess.Read, precommit: false);
        Assert.False(space.TakeOffer(data, MemoryAccess.Write));
        Assert.True(space.TakeOffer(data, MemoryAccess.Read));
        space.Begin();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(77UL, registers.Rbx);
    }

    [Fact]
    public void Reserve_LetsASecondContextIn()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(eax, 186);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        int users = 2;
        Assert.Equal(Errno.None, space.Reserve(ref users));
        SwitchReason reason = default;
        Thread thread = new(() =>
        {
            using IContext second = Platform.NewContext();
            RegisterSet own = Start();
            reason = second.Switch(space, ref own).Reason;
        });
        thread.Start();
        Assert.True(thread.Join(Patience.Limit));
        Assert.Equal(SwitchReason.Syscall, reason);
    }

    [Fact]
    public void Vdso_ReadsAClockInTheStub_OrByACall()
    {
        const ulong VdsoAddress = 0x500000;
        const int VdsoOffset = 4096;
        byte[] image = Platform.Vdso!;
        ulong clock = ElfSymbols.Find(image, "__vdso_clock_gettime"u8);
        Assert.NotEqual(0UL, clock);
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.mov(edi, 1); // CLOCK_MONOTONIC
            asm.mov(rsi, DataAddress);
            asm.lea(rsp, __[rsi + 4096]);
            asm.mov(rax, VdsoAddress + clock);
            asm.call(rax);
            asm.mov(rbx, rax);
            asm.mov(eax, 60);
            asm.syscall();
        });
        image.CopyTo(Memory.Bytes[VdsoOffset..]);
        Assert.Equal(Errno.None, space.Map(new GuestAddress(VdsoAddress), 4096, Memory, VdsoOffset, MemoryAccess.Read | MemoryAccess.Execute, precommit: false));
        Assert.Equal(Errno.None, space.Map(new GuestAddress(DataAddress), 4096, Memory, 8192, MemoryAccess.Read | MemoryAccess.Write, precommit: false));
        using IContext context = Platform.NewContext();
        RegisterSet registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        if (registers.OrigRax == 228)
        {
            return; // the host's own asks the kernel
        }

        Assert.Equal((60UL, 0UL), (registers.OrigRax, registers.Rbx));
        Assert.InRange(BinaryPrimitives.ReadInt64LittleEndian(Memory.Bytes[8192..]) * 1000, 1, Environment.TickCount64 + 1000);
    }

    [Fact]
    public void FpuState_WrittenBeforeTheSwitch_IsTheApplications()
    {
        using IAddressSpace space = LoadCode(asm =>
        {
            asm.movq(rbx, xmm0);
            asm.mov(eax, 1);
            asm.syscall();
        });
        using IContext context = Platform.NewContext();
        byte[] state = new byte[context.FpuStateSize];
        context.ReadFpuState(state);
        BinaryPrimitives.WriteUInt64LittleEndian(state.AsSpan(160), 0xfeedface); // XMM0 in the FXSAVE area
        state[512] |= 2; // XSTATE_BV: SSE
        Assert.Equal(Errno.None, context.WriteFpuState(state));
        RegisterSet registers = Start();
        Assert.Equal(SwitchReason.Syscall, context.Switch(space, ref registers).Reason);
        Assert.Equal(0xfeedfaceUL, registers.Rbx);
    }

    protected static RegisterSet Start() => new() { Rip = CodeAddress, Cs = 0x33, Ss = 0x2b, Eflags = 0x202, Rsp = DataAddress };

    protected IAddressSpace LoadCode(Action<Assembler> write)
    {
        Assembler asm = new(64);
        write(asm);
        using MemoryStream code = new();
        asm.Assemble(new StreamCodeWriter(code), CodeAddress);
        code.ToArray().CopyTo(Memory.Bytes);
        IAddressSpace space = Platform.NewAddressSpace().Value;
        Assert.Equal(Errno.None, space.Map(new GuestAddress(CodeAddress), 4096, Memory, 0, MemoryAccess.Read | MemoryAccess.Execute, precommit: false));
        return space;
    }
}
