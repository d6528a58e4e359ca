using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Moat.Host;
using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>A thread of a stub that runs application code, as its slot shows it to the Sentry. The application can write the slot at any time: everything read here is read once, and
/// no more than what an application's own registers may hold.</summary>
internal sealed unsafe class StubThread
{
    private readonly byte* _slot;
    private int _prepared = -1;
    private bool _hasOwnCalls;
    private volatile bool _isStoppedEarly;

    /// <summary>A thread that has yet to be made.</summary>
    /// <param name="slots">The file that the slot is in.</param>
    /// <param name="slot">Its index there.</param>
    /// <param name="stubAddress">Where the stub sees it.</param>
    public StubThread(SlotFile slots, int slot, ulong stubAddress)
    {
        const ulong AutoDisarm = 1UL << 31; // every signal finds the stack empty, wherever the application's stack pointer is
        Slot = slot;
        StubAddress = stubAddress;

        // SAFETY: the slot belongs to this thread until its process is buried, and the file can't shrink.
        _slot = (byte*)slots.AddressOf(slot);
        *(int*)(_slot + ThreadSlot.Turn) = HandOver.Stub;
        ShowAnswers(null);
        ulong* stack = (ulong*)(_slot + ThreadSlot.AlternateStack);
        stack[0] = stubAddress + ThreadSlot.Stack;
        stack[1] = AutoDisarm;
        stack[2] = ThreadSlot.Size - ThreadSlot.Stack;
    }

    /// <summary>The slot's index in its file.</summary>
    public int Slot { get; }

    /// <summary>The thread's id, as far as the application leaves it alone: good for signals within the process.</summary>
    public int Tid => Volatile.Read(ref Unsafe.AsRef<int>(_slot + ThreadSlot.Tid));

    /// <summary>The FS base.</summary>
    public ref ulong FsBase => ref Unsafe.AsRef<ulong>(_slot + ThreadSlot.FsBase);

    /// <summary>The GS base.</summary>
    public ref ulong GsBase => ref Unsafe.AsRef<ulong>(_slot + ThreadSlot.GsBase);

    /// <summary>Where the stub sees the slot.</summary>
    public ulong StubAddress { get; }

    /// <summary>Whether the thread is in a patched call, not in the handler, as far as the Sentry has seen.</summary>
    public bool IsInCall { get; set; }

    /// <summary>How the thread handed over.</summary>
    public HandOverReason Reason => (HandOverReason)Volatile.Read(ref Unsafe.AsRef<int>(_slot + ThreadSlot.Reason));

    /// <summary>Takes note that the Sentry has seen what the thread does; returns whether there was a patched call among it that the Sentry had not seen.</summary>
    public bool TakeCall()
    {
        ref int call = ref Unsafe.AsRef<int>(_slot + ThreadSlot.Call);
        bool isNew = Volatile.Read(ref call) != 0;
        Volatile.Write(ref call, 0);
        return isNew;
    }

    /// <summary>How a patched call goes on.</summary>
    public ref int Answer => ref Unsafe.AsRef<int>(_slot + ThreadSlot.Answer);

    /// <summary>Whether the thread has calls to make that it has not made yet, by its own word.</summary>
    public bool HasOwnCalls => _hasOwnCalls && Volatile.Read(ref Unsafe.AsRef<int>(_slot + ThreadSlot.OwnCalls)) != 0;

    /// <summary>Whether the thread has been stopped before it had made them. It makes none of them any more then.</summary>
    public bool IsStoppedEarly => _isStoppedEarly;

    /// <summary>The registers of a patched call.</summary>
    public ref SignalContext FastContext => ref Unsafe.AsRef<SignalContext>(_slot + ThreadSlot.FastContext);

    private ref int Turn => ref Unsafe.AsRef<int>(_slot + ThreadSlot.Turn);

    /// <summary>Where the frame is that <see cref="FastAnswer.Load"/> takes everything from; nobody but the Sentry and an application that harms itself writes there.</summary>
    public int Prepared => _prepared;

    /// <summary>Where the kernel's frame is in the slot; -1 if it is not in there.</summary>
    public int FindFrame()
    {
        ulong offset = Volatile.Read(ref Unsafe.AsRef<ulong>(_slot + ThreadSlot.Frame)) - StubAddress;
        return offset is >= ThreadSlot.Stack and <= ThreadSlot.Size - SignalFrameLayout.Size && offset % 8 == 0 ? (int)offset : -1;
    }

    /// <summary>Makes the prepared frame after the pattern of one of the kernel's, once.</summary>
    /// <param name="frame">Where the kernel's frame is.</param>
    /// <param name="fpuSize">Bytes of the FPU state.</param>
    /// <returns>Whether there is room for both.</returns>
    public bool Prepare(int frame, int fpuSize)
    {
        if (_prepared >= 0)
        {
            return true;
        }

        // The kernel puts the FPU state right behind the frame, but for its alignment.
        int fpu = FindFpuState(frame, fpuSize);
        int end = fpu + fpuSize + SignalFrameLayout.FpuTrailer;
        int moved = (frame - ThreadSlot.Stack) & -SignalFrameLayout.FpuAlignment;
        if (fpu < frame || end > ThreadSlot.Size || end - moved > frame)
        {
            return false;
        }

        new Span<byte>(_slot + frame, end - frame).CopyTo(new Span<byte>(_slot + frame - moved, end - frame));
        _prepared = frame - moved;
        Context(_prepared).FpState = StubAddress + (ulong)(fpu - moved);
        Unsafe.AsRef<ulong>(_slot + ThreadSlot.Prepared) = StubAddress + (ulong)_prepared;
        return true;
    }

    /// <summary>The registers in a frame.</summary>
    public ref SignalContext Context(int frame) => ref Unsafe.AsRef<SignalContext>(_slot + frame + SignalFrameLayout.Context);

    /// <summary>The <c>siginfo_t</c> in a frame.</summary>
    public ReadOnlySpan<byte> Info(int frame) => new(_slot + frame + SignalFrameLayout.Info, SignalFrameLayout.InfoSize);

    /// <summary>The FPU state in a frame, of the size that every frame's has; empty if it is not in the slot.</summary>
    public Span<byte> FpuState(int frame, int size) => FindFpuState(frame, size) is >= 0 and int offset ? new Span<byte>(_slot + offset, size) : default;

    /// <summary>Blocks no signal in what a frame goes on with.</summary>
    public void ClearMask(int frame) => Unsafe.AsRef<ulong>(_slot + frame + SignalFrameLayout.Mask) = 0;

    /// <summary>Puts what calls answer where the thread finds it.</summary>
    /// <param name="answers">The answers; null for none.</param>
    public void ShowAnswers(CallAnswers? answers)
    {
        Span<int> slot = new(_slot + ThreadSlot.Answers, 1 + CallAnswers.Calls.Length);
        slot.Fill(CallAnswers.None);
        answers?.CopyTo(slot[1..]);
    }

    /// <summary>Lets the thread go on.</summary>
    /// <param name="looks">How often the thread may look for its turn before it sleeps, the next time.</param>
    /// <param name="yields">How often it may then leave its processor to others and look again.</param>
    /// <returns>Whether it slept.</returns>
    public bool Resume(int looks, int yields)
    {
        Unsafe.AsRef<int>(_slot + ThreadSlot.SpinLimit) = looks;
        Unsafe.AsRef<int>(_slot + ThreadSlot.YieldLimit) = yields;
        if (Interlocked.Exchange(ref Turn, HandOver.Stub) != HandOver.SentryStubSleeps)
        {
            return false;
        }

        HostFutex.Wake((nint)_slot + ThreadSlot.Turn, 1);
        return true;
    }

    /// <summary>Leaves calls to the thread, for when it goes on. Whether it makes them is up to the application.</summary>
    public void LeaveCalls(ReadOnlySpan<StubOrder> calls)
    {
        _isStoppedEarly = false;
        _hasOwnCalls = true;
        ulong* word = (ulong*)(_slot + ThreadSlot.OwnCalls);
        foreach (StubOrder call in calls)
        {
            (word[0], word[1], word[2], word[3]) = ((ulong)call.Number, call.A0, call.A1, call.A2);
            word += ThreadSlot.OwnCallSize / sizeof(ulong);
        }

        *word = 0;
    }

    /// <summary>The thread is stopped: it will not make calls that it has not made, so that nobody must wait for them.</summary>
    /// <returns>Whether there are any.</returns>
    public bool StopCalls()
    {
        bool isEarly = HasOwnCalls;
        _isStoppedEarly = isEarly;
        return isEarly;
    }

    /// <summary>Sleeps for a while because calls have not been made.</summary>
    public void SleepOverCalls(long timeoutNs)
    {
        nint word = (nint)_slot + ThreadSlot.OwnCalls;
        HostFutex.Wait(word, Volatile.Read(ref *(int*)word), timeoutNs); // nobody wakes it
    }

    /// <summary>They have been made, by the thread or by another.</summary>
    public void ForgetCalls()
    {
        if (_hasOwnCalls)
        {
            _hasOwnCalls = false;
            Volatile.Write(ref Unsafe.AsRef<ulong>(_slot + ThreadSlot.OwnCalls), 0);
        }
    }

    /// <summary>Has the thread sleep if it looks for its turn.</summary>
    public void StopLooking() => Volatile.Write(ref Unsafe.AsRef<int>(_slot + ThreadSlot.SpinLimit), 0);

    /// <summary>The processor that the thread waits on or waited on last, by its own word; anything at all if it never did.</summary>
    public int Place => Volatile.Read(ref Unsafe.AsRef<int>(_slot + ThreadSlot.Place)) & 0xfff;

    /// <summary>The longest time, in ticks of the time stamp counter, that the thread was without the processor that it left to others, since the last call of this.</summary>
    public uint TakeLongestYield()
    {
        ref uint longest = ref Unsafe.AsRef<uint>(_slot + ThreadSlot.LongestYield);
        uint ticks = Volatile.Read(ref longest);
        if (ticks != 0)
        {
            Volatile.Write(ref longest, 0);
        }

        return ticks;
    }

    /// <summary>Waits until the thread hands over.</summary>
    /// <param name="looks">How often to look before sleeping.</param>
    /// <param name="yields">How often to leave the processor to others, then.</param>
    /// <param name="patienceMs">How long to sleep.</param>
    public HandOverResult WaitForTurn(int looks, int yields, long patienceMs)
    {
        HandOverResult result = HandOverResult.Spun;
        long started = 0;
        while (Volatile.Read(ref Turn) is var turn && (turn & HandOver.StubBit) != 0)
        {
            if (looks-- > 0)
            {
                X86Base.Pause();
                continue;
            }

            if (yields-- > 0)
            {
                HostCall.Invoke(SyscallNumber.sched_yield);
                continue;
            }

            // Whatever the application has made of the word, the Sentry sleeps on a value of its own, and not for ever.
            long now = Environment.TickCount64;
            started = result == HandOverResult.Slept ? started : now;
            result = HandOverResult.Slept;
            if (now - started >= patienceMs)
            {
                return HandOverResult.TimedOut;
            }

            if (Interlocked.CompareExchange(ref Turn, HandOver.StubSentrySleeps, turn) == turn)
            {
                HostFutex.Wait((nint)_slot + ThreadSlot.Turn, HandOver.StubSentrySleeps, patienceMs * 1_000_000);
            }
        }

        return result;
    }

    private int FindFpuState(int frame, int size)
    {
        ulong offset = Context(frame).FpState - StubAddress;
        return offset < ThreadSlot.Size && offset % SignalFrameLayout.FpuAlignment == 0 && offset + (ulong)size <= ThreadSlot.Size ? (int)offset : -1;
    }
}
