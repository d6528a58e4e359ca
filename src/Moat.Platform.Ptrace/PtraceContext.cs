using System.Buffers.Binary;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using HostPtrace = Moat.Host.Process.Ptrace;

namespace Moat.Platform.Ptrace;

/// <summary>A task's processor: the stub thread that it runs on, in whichever address space it is in.</summary>
internal sealed class PtraceContext(PtracePlatform platform) : IContext
{
    private const int Running = 1;
    private const int Interrupted = 2;
    private const int SyscallStop = (int)Signal.SIGTRAP | 0x80; // PTRACE_O_TRACESYSGOOD
    private const int SignalCodeKernel = 0x80; // SI_KERNEL
    private const int InterruptSignal = (int)Signal.SIGCHLD;

    private readonly byte[] _signalInfo = new byte[128];
    private byte[]? _fpuState; // to be set before the next switch
    private int _state;

    /// <summary>The space whose stub thread this context holds.</summary>
    internal PtraceAddressSpace? Space { get; private set; }

    /// <summary>The stub thread it holds, stopped while the kernel runs.</summary>
    internal StubThread? Stub { get; private set; }

    /// <inheritdoc/>
    public int FpuStateSize => platform.InitialFpuState.Length;

    /// <inheritdoc/>
    public SwitchResult Switch(IAddressSpace space, ref RegisterSet registers)
    {
        PtraceAddressSpace here = (PtraceAddressSpace)space;
        if (!EnsureStub(here) || Stub is not { } stub)
        {
            return new SwitchResult { Reason = SwitchReason.Lost };
        }

        if (here.Enter(this, stub) != Errno.None)
        {
            return new SwitchResult { Reason = SwitchReason.Lost };
        }

        bool interrupted = (Interlocked.Or(ref _state, Running) & Interrupted) != 0;
        SwitchResult result = interrupted ? new SwitchResult { Reason = SwitchReason.Interrupted } : Run(stub, ref registers);
        Interlocked.And(ref _state, result.Reason == SwitchReason.Interrupted ? 0 : ~Running);
        here.Leave(this, stub);
        return result;
    }

    /// <inheritdoc/>
    public CallAnswers? Answers { get; set; } // no use: every call stops the stub

    /// <inheritdoc/>
    public (long Patched, long Trapped) Calls => default; // there is one way only

    /// <inheritdoc/>
    public void Interrupt()
    {
        if ((Interlocked.Or(ref _state, Interrupted) & (Running | Interrupted)) == Running)
        {
            Kick();
        }
    }

    /// <inheritdoc/>
    public void Rest()
    {
        // The stub is stopped.
    }

    /// <inheritdoc/>
    public void ReadFpuState(Span<byte> state)
    {
        if (_fpuState is not null || Stub is null)
        {
            (_fpuState ?? platform.InitialFpuState).CopyTo(state);
            return;
        }

        Stub.ReadFpuState(state);
    }

    /// <inheritdoc/>
    public Errno WriteFpuState(ReadOnlySpan<byte> state)
    {
        if (Stub is not null)
        {
            Errno errno = Stub.WriteFpuState(state);
            if (errno == Errno.None)
            {
                _fpuState = null;
            }

            return errno;
        }

        _fpuState = state.ToArray();
        return Errno.None;
    }

    /// <inheritdoc/>
    public void ResetFpuState() => WriteFpuState(platform.InitialFpuState);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Stub is { } stub && Space is { } space)
        {
            Stub = null;
            Space = null;
            space.Detach(stub);
        }
    }

    /// <summary>Makes the stub thread stop if it is running; a stop without reason is passed over. Any thread.</summary>
    internal void Kick()
    {
        if (Stub is { } stub)
        {
            HostCall.Invoke(SyscallNumber.tgkill, stub.Pid, stub.Tid, InterruptSignal);
        }
    }

    private bool EnsureStub(PtraceAddressSpace space)
    {
        if (Space == space)
        {
            return true;
        }

        byte[] state = _fpuState ?? new byte[FpuStateSize];
        ReadFpuState(state);
        Dispose();
        if (!space.Attach().TryGet(out StubThread? stub, out _))
        {
            return false;
        }

        Stub = stub;
        Space = space;
        _fpuState = null;
        return stub.WriteFpuState(state) == Errno.None || stub.WriteFpuState(platform.InitialFpuState) == Errno.None;
    }

    private SwitchResult Run(StubThread stub, ref RegisterSet registers)
    {
        registers.OrigRax = ulong.MaxValue; // the host must not take the application's RAX for a call to restart
        Errno errno = HostPtrace.SetRegisters(stub.Tid, registers);
        if (errno != Errno.None)
        {
            // Selectors or bases no processor would load: what the load itself would have given.
            return errno == Errno.EIO
                ? new SwitchResult { Reason = SwitchReason.Exception, Signal = (int)Signal.SIGSEGV, SignalCode = SignalCodeKernel }
                : new SwitchResult { Reason = SwitchReason.Lost };
        }

        while (true)
        {
            if (HostPtrace.SysEmu(stub.Tid) != Errno.None
                || !WaitStatus.WaitFor(stub.Tid).TryGet(out WaitStatus status, out _)
                || !status.IsStopped)
            {
                return new SwitchResult { Reason = SwitchReason.Lost };
            }

            if (status.StopSignal == SyscallStop)
            {
                HostPtrace.GetRegisters(stub.Tid, ref registers);
                if (IsSyscallInstruction(registers))
                {
                    return new SwitchResult { Reason = SwitchReason.Syscall };
                }

                // int 0x80 and sysenter: 32-bit calls, which a kernel without IA32 answers with a fault at the instruction.
                registers.Rip -= 2;
                registers.Rax = registers.OrigRax;
                return new SwitchResult { Reason = SwitchReason.Exception, Signal = (int)Signal.SIGSEGV, SignalCode = SignalCodeKernel };
            }

            if (status.StopEvent == 0 && status.StopSignal is not (InterruptSignal or (int)Signal.SIGSTOP or (int)Signal.SIGCONT))
            {
                return Exception(stub, status.StopSignal, ref registers);
            }

            if ((Volatile.Read(ref _state) & Interrupted) != 0)
            {
                HostPtrace.GetRegisters(stub.Tid, ref registers);
                return new SwitchResult { Reason = SwitchReason.Interrupted };
            }

            if (Space!.HasOrders)
            {
                // Somebody waits for this stop to carry out orders.
                HostPtrace.GetRegisters(stub.Tid, ref registers);
                return new SwitchResult { Reason = SwitchReason.Interrupted };
            }
        }
    }

    // The syscall instruction leaves the return address in RCX and the flags in R11 (Intel SDM vol. 2B); the other ways into a kernel do not.
    private static bool IsSyscallInstruction(in RegisterSet registers) => registers.Rcx == registers.Rip && registers.R11 == registers.Eflags;

    private SwitchResult Exception(StubThread stub, int signal, ref RegisterSet registers)
    {
        HostPtrace.GetRegisters(stub.Tid, ref registers);
        HostPtrace.GetSignalInfo(stub.Tid, _signalInfo);
        int code = BinaryPrimitives.ReadInt32LittleEndian(_signalInfo.AsSpan(8));
        GuestAddress address = new(BinaryPrimitives.ReadUInt64LittleEndian(_signalInfo.AsSpan(16)));
        bool isFault = (Signal)signal switch
        {
            Signal.SIGSEGV => code is 1 or 2, // SEGV_MAPERR, SEGV_ACCERR
            Signal.SIGBUS => code == 2, // BUS_ADRERR
            _ => false,
        };
        return new SwitchResult
        {
            Reason = isFault ? SwitchReason.Fault : SwitchReason.Exception,
            Signal = signal,
            SignalCode = code,
            Address = address,
            Access = isFault && address.Value == registers.Rip ? MemoryAccess.Execute : MemoryAccess.Unknown,
        };
    }
}
