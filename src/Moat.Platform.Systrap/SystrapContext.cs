using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Moat.Host;
using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>A task's processor: a thread of the stub of whichever address space it is in.</summary>
internal sealed class SystrapContext(SystrapPlatform platform) : IContext
{
    private const int Running = 1;
    private const int Interrupted = 2;
    private const int StubbornSeconds = 5; // after that many an application that can't be interrupted is killed
    private const int SignalCodeKernel = 0x80; // SI_KERNEL
    private const uint ArchX8664 = 0xc000003e;
    private const ulong UserCode = 0x33;
    private const ulong UserData = 0x2b;

    private readonly HotSites _hotSites = new();
    private SystrapAddressSpace? _space;
    private StubThread? _thread;
    private byte[]? _fpuState; // to be set before the next switch
    private byte[]? _fpuBuffer; // where it is kept
    private int _frame;
    private int _tid;
    private RegisterSet _callRegisters; // what a patched call had
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
        if (here.Enter(thread) == Errno.None)
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

        // Without a frame nobody but the processor knows. A thread that does not hand over now never will: its state doesn't matter any more.
        if (thread.IsInCall && !LeaveFastCall(_space!, thread))
        {
            platform.Fpu.Initial.CopyTo(state);
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

        _fpuState = _fpuBuffer ??= new byte[FpuStateSize];
        state.CopyTo(_fpuState); // all of it: the size is right
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
            HostCall.Invoke(SyscallNumber.tgkill, space.Pid, _tid, (int)SystrapCode.InterruptSignal);
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
        _tid = thread.Tid;
        _fpuState = state;
        return thread.IsInCall || (Wait(space, thread, looks: 0, mustStop: true) && TakeFrame(thread)) ? thread : null;
    }

    private bool TakeFrame(StubThread thread)
    {
        thread.IsInCall = false;
        _frame = thread.FindFrame();
        return _frame >= 0 && !thread.FpuState(_frame, FpuStateSize).IsEmpty;
    }

    // Has a thread in a patched call trap, so that it has a frame.
    private bool LeaveFastCall(SystrapAddressSpace space, StubThread thread)
    {
        thread.Answer = (int)FastAnswer.Trap;
        thread.Resume(looks: 0);
        return Wait(space, thread, looks: 0, mustStop: true) && thread.Reason == HandOverReason.Signal && TakeFrame(thread);
    }

    // False if the thread is gone, or has to stop (because of an interrupt, or anyway) and does not.
    private bool Wait(SystrapAddressSpace space, StubThread thread, int looks, bool mustStop)
    {
        int stubbornSeconds = 0;
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

            if ((mustStop || (Volatile.Read(ref _state) & Interrupted) != 0) && ++stubbornSeconds >= StubbornSeconds)
            {
                space.Kill();
            }
        }

        return true;
    }

    private SwitchResult Run(SystrapAddressSpace space, StubThread thread, ref RegisterSet registers)
    {
        bool asItIs = false;
        while (true)
        {
            if (!asItIs && !Load(space, thread, registers, out SwitchReason refusal))
            {
                return refusal == SwitchReason.Lost ? new SwitchResult { Reason = refusal }
                    : new SwitchResult { Reason = refusal, Signal = (int)Signal.SIGSEGV, SignalCode = SignalCodeKernel };
            }

            if (!HandOver(space, thread))
            {
                return new SwitchResult { Reason = SwitchReason.Lost };
            }

            asItIs = false;
            if (thread.Reason == HandOverReason.FastCall)
            {
                thread.ForgetCall();
                TakeFastCall(thread, ref registers);
                return new SwitchResult { Reason = SwitchReason.Syscall };
            }

            if (!TakeFrame(thread))
            {
                return new SwitchResult { Reason = SwitchReason.Lost };
            }

            SignalContext context = thread.Context(_frame);
            ReadOnlySpan<byte> info = thread.Info(_frame);
            Signal signal = (Signal)BinaryPrimitives.ReadInt32LittleEndian(info);
            bool isInterrupt = signal == SystrapCode.InterruptSignal;
            bool wanted = (Volatile.Read(ref _state) & Interrupted) != 0;
            if ((isInterrupt || signal == Signal.SIGTRAP) && context.Rip >= platform.Code.Fast && context.Rip < platform.Code.FastEnd)
            {
                // On the way into a patched call it hands over soon. On the way back it has the registers that it was given.
                asItIs = context.Rip < platform.Code.FastHandedOver || !isInterrupt;
                if (asItIs || !wanted)
                {
                    continue;
                }

                return new SwitchResult { Reason = SwitchReason.Interrupted };
            }

            thread.ForgetCall();
            context.Load(ref registers);
            registers.FsBase = thread.FsBase;
            registers.GsBase = thread.GsBase == thread.StubAddress ? 0 : thread.GsBase;
            registers.OrigRax = ulong.MaxValue;
            if (!isInterrupt)
            {
                return Explain(signal, info, context, ref registers);
            }

            if (wanted)
            {
                return new SwitchResult { Reason = SwitchReason.Interrupted };
            }

            // An interrupt that came late.
        }
    }

    // Puts registers and FPU state where the thread takes them from: all of them into its frame, or the result of a patched call.
    private bool Load(SystrapAddressSpace space, StubThread thread, in RegisterSet registers, out SwitchReason refusal)
    {
        refusal = SwitchReason.Lost;
        if (registers.FsBase >= StubPlace.TaskSize || registers.GsBase >= StubPlace.TaskSize)
        {
            refusal = SwitchReason.Exception; // bases no processor would load: what the load itself would have given
            return false;
        }

        if (thread.IsInCall)
        {
            if (_fpuState is null && DiffersOnlyInResult(registers))
            {
                thread.FastContext.Rax = registers.Rax;
                thread.Answer = (int)FastAnswer.Return;
                return true;
            }

            if (!LeaveFastCall(space, thread))
            {
                return false;
            }
        }

        if (_fpuState is not null)
        {
            platform.Fpu.Write(_fpuState, thread.FpuState(_frame, FpuStateSize));
            _fpuState = null;
        }

        thread.Context(_frame).Store(registers);
        thread.FsBase = registers.FsBase;
        thread.GsBase = registers.GsBase == 0 && platform.CallSites is not null ? thread.StubAddress : registers.GsBase;
        return true;
    }

    private bool DiffersOnlyInResult(in RegisterSet registers)
    {
        RegisterSet same = registers;
        same.Rax = _callRegisters.Rax;
        same.OrigRax = _callRegisters.OrigRax;
        return MemoryMarshal.AsBytes(new ReadOnlySpan<RegisterSet>(in same)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<RegisterSet>(in _callRegisters)));
    }

    private bool HandOver(SystrapAddressSpace space, StubThread thread)
    {
        bool maySpin = platform.EnterApplication();
        int nextStubLooks = maySpin ? _stubSpins.Next() : 0;
        bool slept = thread.IsInCall ? thread.Resume(nextStubLooks) : thread.Resume(_frame, nextStubLooks);
        _stubSpins.Note(_stubLooks, slept);
        _stubLooks = nextStubLooks;
        bool stopped = Wait(space, thread, maySpin ? _ownSpins.Next() : 0, mustStop: false);
        platform.LeaveApplication();
        return stopped;
    }

    private void TakeFastCall(StubThread thread, ref RegisterSet registers)
    {
        thread.IsInCall = true;
        thread.FastContext.Load(ref registers);
        registers.Rcx = registers.Rip;
        registers.R11 = registers.Eflags;
        registers.Cs = UserCode;
        registers.Ss = UserData;
        registers.FsBase = thread.FsBase;
        registers.GsBase = 0;
        registers.OrigRax = registers.Rax;
        registers.Rax = unchecked((ulong)-(long)Errno.ENOSYS);
        _callRegisters = registers;
    }

    private SwitchResult Explain(Signal signal, ReadOnlySpan<byte> info, in SignalContext context, ref RegisterSet registers)
    {
        if (signal == Signal.SIGSYS)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(info[28..]) == ArchX8664)
            {
                registers.OrigRax = registers.Rax;
                registers.Rax = unchecked((ulong)-(long)Errno.ENOSYS);
                return new SwitchResult { Reason = SwitchReason.Syscall, IsHotSite = platform.CallSites is not null && _hotSites.Count(registers.Rip) };
            }

            // int 0x80 and sysenter: 32-bit calls, which a kernel without IA32 answers with a fault at the instruction.
            registers.Rip -= 2;
            return new SwitchResult { Reason = SwitchReason.Exception, Signal = (int)Signal.SIGSEGV, SignalCode = SignalCodeKernel };
        }

        if (signal is not (Signal.SIGILL or Signal.SIGTRAP or Signal.SIGBUS or Signal.SIGFPE or Signal.SIGSEGV))
        {
            return new SwitchResult { Reason = SwitchReason.Lost }; // the application has made nonsense of its frame
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
