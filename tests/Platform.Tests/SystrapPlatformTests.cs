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
}
