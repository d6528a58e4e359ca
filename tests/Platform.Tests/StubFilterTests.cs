using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Platform.Ptrace;

namespace Moat.Platform.Tests;

/// <summary>A stub that is made to call the host itself, which no application can do, is killed unless the platform would have made the call.</summary>
[Collection("children of this process")]
public sealed class StubFilterTests : IDisposable
{
    private const ulong Place = 0x10000000;
    private readonly PtracePlatform _platform = new();

    public static TheoryData<SyscallNumber> Forbidden =>
    [
        SyscallNumber.openat, SyscallNumber.open, SyscallNumber.socket, SyscallNumber.execve, SyscallNumber.read, SyscallNumber.write, SyscallNumber.sendmsg, SyscallNumber.ptrace, SyscallNumber.mount,
        SyscallNumber.setns, SyscallNumber.unshare, SyscallNumber.io_uring_setup, SyscallNumber.bpf, SyscallNumber.userfaultfd, SyscallNumber.kill, SyscallNumber.tgkill, SyscallNumber.fork, SyscallNumber.clone3,
        SyscallNumber.ftruncate, SyscallNumber.fcntl, SyscallNumber.getpid, SyscallNumber.seccomp, SyscallNumber.process_vm_writev, SyscallNumber.futex, SyscallNumber.exit_group,
    ];

    public void Dispose() => _platform.Dispose();

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void ForbiddenCall_KillsTheStub(SyscallNumber number)
    {
        StubThread stub = NewStub();
        Assert.Equal(Errno.ESRCH, stub.Call(number).Errno);
    }

    [Theory]
    [InlineData(SyscallNumber.clone, 17UL, 0UL)] // a process with descriptors of its own
    [InlineData(SyscallNumber.clone, 0x10000000UL, 0UL)] // CLONE_NEWUSER
    [InlineData(SyscallNumber.prctl, 22UL, 0UL)] // PR_SET_SECCOMP
    [InlineData(SyscallNumber.prctl, 4UL, 1UL)] // PR_SET_DUMPABLE
    public void AllowedCall_WithOtherArguments_KillsTheStub(SyscallNumber number, ulong a0, ulong a1)
    {
        StubThread stub = NewStub();
        Assert.Equal(Errno.ESRCH, stub.Call(number, a0, a1).Errno);
    }

    [Fact]
    public void PrivateMapping_KillsTheStub()
    {
        StubThread stub = NewStub();
        Assert.Equal(Errno.ESRCH, stub.Call(SyscallNumber.mmap, Place, 4096, 7, HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapFixed, ulong.MaxValue, 0).Errno);
    }

    [Fact]
    public void PlatformsOwnCalls_AreAllowed()
    {
        StubThread stub = NewStub();
        Assert.False(Map(stub).IsError);
        Assert.Equal(Errno.None, stub.Call(SyscallNumber.mprotect, Place, 4096, 1).Errno);
        Assert.Equal(Errno.None, stub.Call(SyscallNumber.munmap, Place, 4096).Errno);
        stub.End();
    }

    [Fact]
    public void AllowedCall_FromTheApplicationsMemory_KillsTheStub()
    {
        StubThread stub = NewStub();
        Assert.True(_platform.Orders.Allocate().TryGet(out int page, out _));
        _platform.Orders.Words(page)[0] = 0xcc050f; // syscall; int3
        Assert.False(Map(stub, page, access: 5).IsError);
        RegisterSet registers = new() { Rip = Place, Rax = (ulong)SyscallNumber.munmap, Rdi = Place + 4096, Rsi = 4096, Cs = 0x33, Ss = 0x2b, Eflags = 0x202, OrigRax = ulong.MaxValue };
        Assert.Equal(Errno.None, Host.Process.Ptrace.SetRegisters(stub.Tid, registers));
        Assert.Equal(Errno.None, Host.Process.Ptrace.Continue(stub.Tid));
        Assert.True(WaitStatus.WaitFor(stub.Tid).TryGet(out WaitStatus status, out _));
        Assert.True(status.WasKilled);
        Assert.Equal((int)Signal.SIGSYS, status.TermSignal);
    }

    // A stub that this thread traces.
    private StubThread NewStub()
    {
        Assert.True(_platform.NewAddressSpace().TryGet(out IAddressSpace? space, out _));
        Assert.True(((PtraceAddressSpace)space).Attach().TryGet(out StubThread? stub, out _));
        return stub;
    }

    private SyscallResult Map(StubThread stub, int page = 0, ulong access = 1) =>
        stub.Call(SyscallNumber.mmap, Place, 4096, access, HostMemory.MapShared | HostMemory.MapFixed, (ulong)_platform.Orders.Fd, _platform.Orders.OffsetOf(page));
}
