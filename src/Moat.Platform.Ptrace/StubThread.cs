using Moat.Host.Process;
using Moat.Linux;
using HostPtrace = Moat.Host.Process.Ptrace;

namespace Moat.Platform.Ptrace;

/// <summary>One thread of a stub process while the calling thread traces it. It is stopped between the calls of this class, which all belong to the thread that seized it.</summary>
internal sealed class StubThread
{
    private const int ExtendedState = 0x202; // NT_X86_XSTATE
    private const int MaxFpuState = 16384;

    private readonly StubRegion _region;

    private StubThread(StubRegion region, int pid, int tid)
    {
        _region = region;
        Pid = pid;
        Tid = tid;
    }

    /// <summary>The stub process.</summary>
    public int Pid { get; }

    /// <summary>The thread.</summary>
    public int Tid { get; }

    /// <summary>Becomes the tracer of a parked thread and stops it.</summary>
    public static Result<StubThread> Seize(StubRegion region, int pid, int tid)
    {
        Errno errno = HostPtrace.Seize(tid, HostPtrace.OptionSysGood | HostPtrace.OptionExitKill);
        if (errno == Errno.None)
        {
            errno = HostPtrace.Interrupt(tid);
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        StubThread thread = new(region, pid, tid);
        while (true)
        {
            if (!WaitStatus.WaitFor(tid).TryGet(out WaitStatus status, out errno))
            {
                return errno;
            }

            if (!status.IsStopped)
            {
                return Errno.ESRCH;
            }

            if (status.StopEvent == HostPtrace.EventStop)
            {
                return thread;
            }

            // A signal was on its way before; it is for nobody.
            errno = HostPtrace.Continue(tid);
            if (errno != Errno.None)
            {
                return errno;
            }
        }
    }

    /// <summary>Parks it again, without a tracer.</summary>
    public Errno Park()
    {
        RegisterSet registers = StubRegisters(_region.Code.Park);
        Errno errno = HostPtrace.SetRegisters(Tid, registers);
        return errno == Errno.None ? HostPtrace.Detach(Tid) : errno;
    }

    /// <summary>Ends it and waits until it is gone.</summary>
    public void End()
    {
        RegisterSet registers = StubRegisters(_region.Code.Exit);
        if (HostPtrace.SetRegisters(Tid, registers) == Errno.None)
        {
            HostPtrace.Continue(Tid);
        }

        Reap();
    }

    /// <summary>Waits for the end of a thread that has been killed.</summary>
    public void Reap()
    {
        while (WaitStatus.WaitFor(Tid).TryGet(out WaitStatus status, out _) && status.IsStopped)
        {
            HostPtrace.Continue(Tid);
        }
    }

    /// <summary>Has it make one host call.</summary>
    public SyscallResult Call(SyscallNumber number, ulong a0 = 0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        RegisterSet registers = StubRegisters(_region.Code.Single);
        registers.Rax = (ulong)number;
        registers.Rdi = a0;
        registers.Rsi = a1;
        registers.Rdx = a2;
        registers.R10 = a3;
        registers.R8 = a4;
        registers.R9 = a5;
        return Run(ref registers) is var errno and not Errno.None ? errno : new SyscallResult((long)registers.Rax);
    }

    /// <summary>Has it make <paramref name="count"/> host calls from its page of orders.</summary>
    /// <returns>The error of the first call that failed.</returns>
    public Errno CallList(int count)
    {
        RegisterSet registers = StubRegisters(_region.Code.RunList);
        registers.Rbx = _region.Orders;
        registers.R12 = (ulong)count;
        Errno errno = Run(ref registers);
        return errno != Errno.None ? errno : registers.R12 == 0 ? Errno.None : new SyscallResult((long)registers.Rax).Errno;
    }

    /// <summary>Has it make another thread or process, which is parked.</summary>
    public Result<int> Clone(bool process)
    {
        RegisterSet registers = StubRegisters(process ? _region.Code.CloneProcess : _region.Code.CloneThread);
        Errno errno = Run(ref registers);
        if (errno != Errno.None)
        {
            return errno;
        }

        SyscallResult result = new((long)registers.Rax);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <summary>Makes a stub of a process that has just been cloned: nothing of the application's may run in it before.</summary>
    /// <param name="first">Whether it is a copy of the Sentry rather than of another stub.</param>
    public Errno SetUp(bool first)
    {
        RegisterSet registers = StubRegisters(first ? _region.Code.SetUpFirst : _region.Code.SetUpProcess);
        Errno errno = Run(ref registers);
        return errno != Errno.None ? errno : new SyscallResult((long)registers.Rax).Errno;
    }

    /// <summary>The FPU state in XSAVE format, as large as this processor's is.</summary>
    public byte[] ReadFpuState()
    {
        byte[] state = new byte[MaxFpuState];
        return HostPtrace.GetRegisterSet(Tid, ExtendedState, state).TryGet(out int length, out _) ? state[..length] : [];
    }

    /// <summary>Reads the FPU state.</summary>
    public Errno ReadFpuState(Span<byte> state) => HostPtrace.GetRegisterSet(Tid, ExtendedState, state).Errno;

    /// <summary>Sets the FPU state; EINVAL for one that the processor would refuse.</summary>
    public Errno WriteFpuState(ReadOnlySpan<byte> state) => HostPtrace.SetRegisterSet(Tid, ExtendedState, state);

    // Runs stub code up to its int3.
    private Errno Run(ref RegisterSet registers)
    {
        Errno errno = HostPtrace.SetRegisters(Tid, registers);
        while (errno == Errno.None)
        {
            errno = HostPtrace.Continue(Tid);
            if (errno != Errno.None)
            {
                break;
            }

            if (!WaitStatus.WaitFor(Tid).TryGet(out WaitStatus status, out errno))
            {
                break;
            }

            if (!status.IsStopped)
            {
                return Errno.ESRCH;
            }

            if (status.StopSignal == (int)Signal.SIGTRAP && status.StopEvent == 0)
            {
                return HostPtrace.GetRegisters(Tid, ref registers);
            }

            // An interrupt that comes now is remembered by the context; the call goes on.
            if (status.StopSignal is (int)Signal.SIGSEGV or (int)Signal.SIGBUS or (int)Signal.SIGILL)
            {
                return Errno.EFAULT;
            }
        }

        return errno;
    }

    private static RegisterSet StubRegisters(ulong entry) => new()
    {
        Rip = entry,
        Cs = 0x33,
        Ss = 0x2b,
        Eflags = 0x202,
        OrigRax = ulong.MaxValue,
    };
}
