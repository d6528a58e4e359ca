using Moat.Linux;
using Moat.Syscalls.Files;
using Moat.Syscalls.Ipc;
using Moat.Syscalls.Machine;
using Moat.Syscalls.Memory;
using Moat.Syscalls.Process;
using Moat.Syscalls.Signals;
using Moat.Syscalls.Sockets;
using Moat.Syscalls.Time;

namespace Moat.Syscalls;

/// <summary>The system calls of x86-64, by number.</summary>
public sealed class SyscallTable
{
    /// <summary>Numbers below this have a place in the table.</summary>
    public const int Size = 512;

    private readonly SyscallEntry?[] _entries;

    internal SyscallTable(SyscallEntry?[] entries) => _entries = entries;

    /// <summary>The call with this number; null if there is none (ENOSYS).</summary>
    public SyscallEntry? Find(ulong number) => number < Size ? _entries[number] : null;

    /// <summary>Whether a call was broken for tests.</summary>
    public bool IsBrokenForTest { get; private set; }

    /// <summary>Makes a call fail as a bug in its handler would, for tests of what happens then. Before the first process runs.</summary>
    public void BreakForTest(SyscallNumber number)
    {
        IsBrokenForTest = true;
        _entries[(int)number] = new SyscallEntry(number, static (_, in _) => throw new InvalidOperationException("this call was broken by the flag -TESTONLY-bug-in-syscall"), []);
    }

    /// <summary>The table of everything Moat implements.</summary>
    public static SyscallTable Create()
    {
        SyscallTableBuilder builder = new();
        Advice.Register(builder);
        Attributes.Register(builder);
        CapabilityCalls.Register(builder);
        Clocks.Register(builder);
        Clone.Register(builder);
        CredentialCalls.Register(builder);
        Directories.Register(builder);
        Epoll.Register(builder);
        Eventfd.Register(builder);
        Execve.Register(builder);
        Exit.Register(builder);
        ExtendedAttributes.Register(builder);
        Fcntl.Register(builder);
        FileHandles.Register(builder);
        FileLocks.Register(builder);
        FutexCalls.Register(builder);
        Identity.Register(builder);
        Inotify.Register(builder);
        IntervalTimers.Register(builder);
        Kill.Register(builder);
        Kcmp.Register(builder);
        Links.Register(builder);
        Membarrier.Register(builder);
        MessageQueues.Register(builder);
        PosixMessages.Register(builder);
        Memfd.Register(builder);
        Messages.Register(builder);
        Mmap.Register(builder);
        Mounts.Register(builder);
        NamespaceCalls.Register(builder);
        Open.Register(builder);
        PidfdCalls.Register(builder);
        PipeCalls.Register(builder);
        Poll.Register(builder);
        PosixTimers.Register(builder);
        Priorities.Register(builder);
        Prctl.Register(builder);
        ProcessMemory.Register(builder);
        PtraceCalls.Register(builder);
        ReadWrite.Register(builder);
        ResourceUsage.Register(builder);
        Scheduling.Register(builder);
        SeccompCalls.Register(builder);
        SharedMemory.Register(builder);
        Semaphores.Register(builder);
        SignalCalls.Register(builder);
        Signalfd.Register(builder);
        SocketCalls.Register(builder);
        SocketOptionCalls.Register(builder);
        Splice.Register(builder);
        Stat.Register(builder);
        SystemCalls.Register(builder);
        Timerfd.Register(builder);
        Transfer.Register(builder);
        Wait.Register(builder);
        return builder.Build();
    }
}
