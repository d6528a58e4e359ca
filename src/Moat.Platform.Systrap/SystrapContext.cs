using System.Buffers.Binary;
using Moat.Host;
using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>A task's processor: a thread of the stub of whichever address space it is in.</summary>
internal sealed class SystrapContext(SystrapPlatform platform) : IContext
{
    private const int Running = 1;
    private const int Interrupted = 2;
    private const int StubbornSeconds = 20; // after that many an application that can't be interrupted is killed
    private const int SignalCodeKernel = 0x80; // SI_KERNEL
    private const uint ArchX8664 = 0xc000003e;

    private SystrapAddressSpace? _space;
    private StubThread? _thread;
    private byte[]? _fpuState; // to be set before the next switch
    private int _frame;
    private int _stubLooks;
    private SpinBudget _ownSpins;
    private SpinBudget _stubSpins;
    private int _state;

    /// <inheritdoc/>
    public int FpuStateSize => platform.Fpu.Size;

    /// <inheritdoc/>
    public SwitchResult Switch(IAddressSpace space, ref RegisterSet registers)
    {
        SystrapAddressSpace here = (SystrapAddressSpace)space;
        if (Attach(here) is not { } thread)
        {
            return new SwitchResult { Reason = SwitchReason.Lost };
        }

        SwitchResult result = new() { Reason = SwitchReason.Lost };
        if (here.Enter() == Errno.None)
        {
            bool interrupted = (Interlocked.Or(ref _state, Running) & Interrupted) != 0;
            result = interrupted ? new SwitchResult { Reason = SwitchReason.Interrupted } : Run(here, thread, ref registers);
            Interlocked.And(ref _state, result.Reason == SwitchReason.Interrupted ? 0 : ~Running);
        }

        here.Leave();
        return result;
    }

    /// <inheritdoc/>
    public void Interrupt()
    {
        if ((Interlocked.Or(ref _state, Interrupted) & (Running | Interrupted)) == Running)
        {
            Kick();
        }
    }

    /// <inheritdoc/>
    public void ReadFpuState(Span<byte> state)
    {
        if (_fpuState is not null || _thread is not { } thread)
        {
            (_fpuState ?? platform.Fpu.Initial).CopyTo(state);
            return;
        }

        platform.Fpu.Read(thread.FpuState(_frame, FpuStateSize), state);
    }

    /// <inheritdoc/>
    public Errno WriteFpuState(ReadOnlySpan<byte> state)
    {
        if (!platform.Fpu.IsValid(state))
        {
            return Errno.EINVAL;
        }

        (_fpuState ??= new byte[FpuStateSize]).AsSpan().Clear();
        state.CopyTo(_fpuState);
        return Errno.None;
    }

    /// <inheritdoc/>
    public void ResetFpuState() => WriteFpuState(platform.Fpu.Initial);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_thread is { } thread && _space is { } space)
        {
            _thread = null;
            _space = null;
            space.Detach(thread);
        }
    }

    private void Kick()
    {
        if (_thread is { } thread && _space is { } space)
        {
            HostCall.Invoke(SyscallNumber.tgkill, space.Pid, thread.Tid, (int)SystrapCode.InterruptSignal);
        }
    }

    // The thread of the space that this context has, stopped in the handler.
    private StubThread? Attach(SystrapAddressSpace space)
    {
        if (_space == space)
        {
            return _thread;
        }

        byte[] state = new byte[FpuStateSize];
        ReadFpuState(state);
        Dispose();
        if (space.Attach() is not { } thread)
        {
            return null;
        }

        _space = space;
        _thread = thread;
        _fpuState = state;
        return Wait(space, thread, looks: 0) ? thread : null;
    }

    private bool Wait(SystrapAddressSpace space, StubThread thread, int looks)
    {
        int interruptedSeconds = 0;
        for (HandOverResult result = thread.WaitForTurn(looks); ; result = thread.WaitForTurn(0))
        {
            if (result != HandOverResult.TimedOut)
            {
                _ownSpins.Note(looks, result == HandOverResult.Slept);
                break;
            }

            if (!space.IsAlive())
            {
                return false;
            }

            if ((Volatile.Read(ref _state) & Interrupted) != 0 && ++interruptedSeconds >= StubbornSeconds)
            {
                space.Kill();
            }
        }

        _frame = thread.FindFrame();
        return _frame >= 0;
    }

    private SwitchResult Run(SystrapAddressSpace space, StubThread thread, ref RegisterSet registers)
    {
        while (true)
        {
            if (registers.FsBase >= StubPlace.TaskSize || registers.GsBase >= StubPlace.TaskSize)
            {
                // Bases no processor would load: what the load itself would have given.
                return new SwitchResult { Reason = SwitchReason.Exception, Signal = (int)Signal.SIGSEGV, SignalCode = SignalCodeKernel };
            }

            if (_fpuState is not null)
            {
                platform.Fpu.Write(_fpuState, thread.FpuState(_frame, FpuStateSize));
                _fpuState = null;
            }

            thread.Context(_frame).Store(registers);
            thread.FsBase = registers.FsBase;
            thread.GsBase = registers.GsBase;
            bool maySpin = platform.EnterApplication();
            int nextStubLooks = maySpin ? _stubSpins.Next() : 0;
            _stubSpins.Note(_stubLooks, thread.Resume(_frame, nextStubLooks));
            _stubLooks = nextStubLooks;
            bool stopped = Wait(space, thread, maySpin ? _ownSpins.Next() : 0);
            platform.LeaveApplication();
            if (!stopped || thread.FpuState(_frame, FpuStateSize).IsEmpty)
            {
                return new SwitchResult { Reason = SwitchReason.Lost };
            }

            SignalContext context = thread.Context(_frame);
            context.Load(ref registers);
            registers.FsBase = thread.FsBase;
            registers.GsBase = thread.GsBase;
            registers.OrigRax = ulong.MaxValue;
            SwitchResult result = Explain(thread.Info(_frame), context, ref registers);
            if (result.Reason != SwitchReason.Interrupted || (Volatile.Read(ref _state) & Interrupted) != 0)
            {
                return result;
            }

            // An interrupt that came late.
        }
    }

    private static SwitchResult Explain(ReadOnlySpan<byte> info, in SignalContext context, ref RegisterSet registers)
    {
        Signal signal = (Signal)BinaryPrimitives.ReadInt32LittleEndian(info);
        if (signal == SystrapCode.InterruptSignal)
        {
            return new SwitchResult { Reason = SwitchReason.Interrupted };
        }

        if (signal == Signal.SIGSYS)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(info[28..]) == ArchX8664)
            {
                registers.OrigRax = registers.Rax;
                registers.Rax = unchecked((ulong)-(long)Errno.ENOSYS);
                return new SwitchResult { Reason = SwitchReason.Syscall };
            }

            // int 0x80 and sysenter: 32-bit calls, which a kernel without IA32 answers with a fault at the instruction.
            registers.Rip -= 2;
            return new SwitchResult { Reason = SwitchReason.Exception, Signal = (int)Signal.SIGSEGV, SignalCode = SignalCodeKernel };
        }

        int code = BinaryPrimitives.ReadInt32LittleEndian(info[8..]);
        bool isFault = signal switch
        {
            Signal.SIGSEGV => code is 1 or 2, // SEGV_MAPERR, SEGV_ACCERR
            Signal.SIGBUS => code == 2, // BUS_ADRERR
            _ => false,
        };
        return new SwitchResult
        {
            Reason = isFault ? SwitchReason.Fault : SwitchReason.Exception,
            Signal = (int)signal,
            SignalCode = code,
            Address = new GuestAddress(BinaryPrimitives.ReadUInt64LittleEndian(info[16..])),
            Access = isFault ? AccessOf(context) : MemoryAccess.Unknown,
        };
    }

    private static MemoryAccess AccessOf(in SignalContext context)
    {
        const ulong PageFault = 14;
        const ulong WriteBit = 2;
        const ulong FetchBit = 16;
        return context.TrapNumber != PageFault ? MemoryAccess.Unknown
            : (context.ErrorCode & FetchBit) != 0 ? MemoryAccess.Execute
            : (context.ErrorCode & WriteBit) != 0 ? MemoryAccess.Write : MemoryAccess.Read;
    }
}
