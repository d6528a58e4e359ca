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
    private const int Interrupted = StubTurns.Interrupted;
    private const ulong UserCode = 0x33;
    private const ulong UserData = 0x2b;

    private readonly StubTurns _turns = new(platform);
    private SystrapAddressSpace? _space;
    private StubThread? _thread;
    private byte[]? _fpuState; // null before the first is set
    private bool _isFpuStateNew; // it is yet to be set
    private bool _isFpuSaved; // in the prepared frame, as the processor has it
    private CallAnswers? _answers;
    private bool _areAnswersShown; // in the thread's slot
    private int _frame;
    private int _tid;
    private RegisterSet _callRegisters; // what a patched call had
    private int _state;

    /// <inheritdoc/>
    public int FpuStateSize => platform.Fpu.Size;

    /// <inheritdoc/>
    public CallAnswers? Answers
    {
        get => _answers;
        set
        {
            _answers = value;
            _areAnswersShown = false;
        }
    }

    /// <inheritdoc/>
    public (long Patched, long Trapped) Calls { get; private set; }

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

        here.Leave(thread);
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
    public void Rest() => _turns.Rest(_thread);

    /// <inheritdoc/>
    public void ReadFpuState(Span<byte> state)
    {
        if (_isFpuStateNew || _thread is not { } thread)
        {
            (_isFpuStateNew ? _fpuState : platform.Fpu.Initial).CopyTo(state);
            return;
        }

        // Without a frame nobody but the processor knows. A thread that does not hand over now never will: its state doesn't matter any more.
        if (thread.IsInCall && !_isFpuSaved && !SaveFpuState(_space!, thread))
        {
            platform.Fpu.Initial.CopyTo(state);
            return;
        }

        platform.Fpu.Read(thread.FpuState(thread.IsInCall ? thread.Prepared : _frame, FpuStateSize), state);
    }

    /// <inheritdoc/>
    public Errno WriteFpuState(ReadOnlySpan<byte> state)
    {
        if (!platform.Fpu.IsValid(state))
        {
            return Errno.EINVAL;
        }

        state.CopyTo(_fpuState ??= new byte[FpuStateSize]); // all of it: the size is right
        _isFpuStateNew = true;
        return Errno.None;
    }

    /// <inheritdoc/>
    public void ResetFpuState() => WriteFpuState(platform.Fpu.Initial);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_thread is { } thread && _space is { } space)
        {
            Rest();
            _turns.End();
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
        _isFpuStateNew = true;
        Dispose();
        if (space.Attach() is not { } thread)
        {
            return null;
        }

        _space = space;
        _thread = thread;
        _areAnswersShown = false;
        _fpuState = state;
        if (!thread.IsInCall && !(_turns.Await(space, thread, in _state) && TakeFrame(thread)))
        {
            return null;
        }

        _tid = thread.Tid;
        _turns.Meet(thread);
        return thread;
    }

    private bool TakeFrame(StubThread thread)
    {
        thread.IsInCall = false;
        _frame = thread.FindFrame();
        return _frame >= 0 && thread.Prepare(_frame, FpuStateSize) && !thread.FpuState(_frame, FpuStateSize).IsEmpty;
    }

    // Has a thread in a patched call put the FPU state where it can be read. An interrupt that came late makes a frame that has it as well.
    private bool SaveFpuState(SystrapAddressSpace space, StubThread thread)
    {
        thread.Answer = (int)FastAnswer.Save;
        if (!_turns.HandOver(space, thread, in _state, mustStop: true))
        {
            return false;
        }

        _isFpuSaved = thread.Reason == HandOverReason.FastCall;
        return _isFpuSaved || TakeFrame(thread);
    }

    private SwitchResult Run(SystrapAddressSpace space, StubThread thread, ref RegisterSet registers)
    {
        bool asItIs = false;
        while (true)
        {
            if (!asItIs && !Load(space, thread, registers, out SwitchReason refusal))
            {
                return refusal == SwitchReason.Lost ? new SwitchResult { Reason = refusal }
                    : new SwitchResult { Reason = refusal, Signal = (int)Signal.SIGSEGV, SignalCode = StubSignal.CodeKernel };
            }

            if (!_turns.HandOver(space, thread, in _state, mustStop: false))
            {
                return new SwitchResult { Reason = SwitchReason.Lost };
            }

            asItIs = false;
            if (thread.Reason == HandOverReason.FastCall)
            {
                thread.ForgetCalls();
                thread.TakeCall();
                TakeFastCall(thread, ref registers);
                thread.IsInCall = true;
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
                if (isInterrupt && wanted && LeaveAnswer(thread, context, ref registers))
                {
                    return new SwitchResult { Reason = SwitchReason.Interrupted };
                }

                if (context.Rip >= platform.Code.FastHandedOver && thread.TakeCall())
                {
                    thread.ForgetCalls();
                    TakeFastCall(thread, ref registers); // it had handed over, and was interrupted before that was seen
                    thread.IsInCall = false;
                    return new SwitchResult { Reason = SwitchReason.Syscall };
                }

                // On the way into a patched call it hands over soon, if it finds no answer. On the way back it has the registers that it was given; an FPU state that was new may not have arrived.
                asItIs = context.Rip < platform.Code.FastHandedOver || !isInterrupt;
                if (!asItIs && wanted)
                {
                    return new SwitchResult { Reason = SwitchReason.Interrupted };
                }

                if (asItIs && context.Rip >= platform.Code.FastOwnCalls && context.Rip < platform.Code.FastOwnCallsEnd)
                {
                    thread.Context(_frame).Rip = platform.Code.FastOwnCalls; // the handler makes all of them: none of them is made again after that
                }

                if (asItIs && wanted)
                {
                    thread.ShowAnswers(null);
                    _areAnswersShown = false;
                }

                thread.ClearMask(_frame);
                continue;
            }

            thread.ForgetCalls();
            _isFpuStateNew = false;
            context.Load(ref registers);
            registers.FsBase = thread.FsBase;
            registers.GsBase = thread.GsBase == thread.StubAddress ? 0 : thread.GsBase;
            registers.OrigRax = ulong.MaxValue;
            if (!isInterrupt)
            {
                SwitchResult result = StubSignal.Explain(signal, info, context, ref registers);
                return result.Reason != SwitchReason.Syscall ? result : result with { IsHotSite = CountTrap(space, registers.Rip) };
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
        if (!_areAnswersShown)
        {
            thread.ShowAnswers(_answers);
            _areAnswersShown = true;
        }

        if (registers.FsBase >= StubPlace.TaskSize || registers.GsBase >= StubPlace.TaskSize)
        {
            refusal = SwitchReason.Exception; // bases no processor would load: what the load itself would have given
            return false;
        }

        int frame = _frame;
        if (thread.IsInCall)
        {
            if (!_isFpuStateNew && DiffersOnlyInResult(registers))
            {
                thread.FastContext.Rax = registers.Rax;
                thread.Answer = (int)FastAnswer.Return;
                return true;
            }

            frame = thread.Prepared;
            thread.Answer = (int)(_isFpuStateNew || _isFpuSaved ? FastAnswer.Load : FastAnswer.SaveAndLoad);
        }

        if (_isFpuStateNew)
        {
            platform.Fpu.Write(_fpuState, thread.FpuState(frame, FpuStateSize));
        }

        thread.Context(frame).Store(registers);
        thread.ClearMask(frame);
        thread.FsBase = registers.FsBase;
        thread.GsBase = registers.GsBase == 0 && platform.CallSites is not null ? thread.StubAddress : registers.GsBase;
        return true;
    }

    // Of a thread that was interrupted while it answered a call itself: the call is yet to be made, or done.
    private bool LeaveAnswer(StubThread thread, in SignalContext context, ref RegisterSet registers)
    {
        const int SyscallSize = 2;
        if (context.Rip < platform.Code.FastLooked || context.Rip >= platform.Code.FastAnswered)
        {
            return false;
        }

        SignalContext call = thread.FastContext;
        context.Load(ref registers);
        registers.Rsp = call.Rsp;
        registers.Eflags = call.Eflags;
        registers.R11 = call.Eflags;
        registers.Rcx = call.Rip;
        registers.Rip = context.Rip < platform.Code.FastCommitted ? call.Rip - SyscallSize : call.Rip;
        registers.FsBase = thread.FsBase;
        registers.GsBase = 0;
        registers.OrigRax = ulong.MaxValue;
        _isFpuStateNew = false;
        return true;
    }

    // Whether the instruction is worth a patch now.
    private bool CountTrap(SystrapAddressSpace space, ulong behind)
    {
        Calls = (Calls.Patched, Calls.Trapped + 1);
        return platform.CallSites is not null && space.HotSites.Count(behind);
    }

    private bool DiffersOnlyInResult(in RegisterSet registers)
    {
        RegisterSet same = registers;
        same.Rax = _callRegisters.Rax;
        same.OrigRax = _callRegisters.OrigRax;
        return MemoryMarshal.AsBytes(new ReadOnlySpan<RegisterSet>(in same)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<RegisterSet>(in _callRegisters)));
    }

    private void TakeFastCall(StubThread thread, ref RegisterSet registers)
    {
        Calls = (Calls.Patched + 1, Calls.Trapped);
        _isFpuStateNew = false;
        _isFpuSaved = false;
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
}
