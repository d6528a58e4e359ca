using System.Diagnostics;

namespace Moat.Platform.Systrap;

/// <summary>Gives a stub thread its turn and waits for the Sentry's. Where calls come thick and fast, either side has a processor of its own and looks for its turn there, and lets others of the same
/// side run when it waits longer; else both are on one processor, and each leaves it to the other.</summary>
internal sealed class StubTurns(SystrapPlatform platform)
{
    /// <summary>In a context's state: it was interrupted.</summary>
    public const int Interrupted = 2;

    private const int StubbornSeconds = 5; // after that many an application that can't be interrupted is killed
    private const long LivenessMs = 1000;
    private const long ComputesMs = 5; // an application that has run for so long may be moved by the host
    private const int Looks = 1000; // some 20 µs
    private const int SharedLooks = 100; // where others wait for the processor
    private const int SplitYields = 64;
    private const int StubYields = 16;
    private const int OwnYields = 4;
    private const uint LongYield = 1_000_000; // ticks, some 400 µs: the processor is not for the sandbox alone
    private const long LongWaitNs = 500_000;
    private const int CallsPerSample = 8;

    private readonly ThreadPair _pair = new(platform.Places);
    private bool _isStubLooking; // since its last turn
    private bool _isStubYielding;
    private int _calls;
    private WaitBudget _ownLooks;
    private WaitBudget _stubLooks;
    private WaitBudget _ownYields;
    private WaitBudget _stubYields;
    private Pace _pace;

    /// <summary>The thread is another from now on.</summary>
    public void Meet(StubThread thread) => _pair.Meet(thread.Tid);

    /// <summary>Lets the thread go on and waits until it hands over.</summary>
    /// <param name="space">The thread's space.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="state">The context's state.</param>
    /// <param name="mustStop">Whether the thread is to hand over soon, also without an interrupt.</param>
    /// <returns>False if it is gone, or has to stop and does not.</returns>
    public bool HandOver(SystrapAddressSpace space, StubThread thread, ref readonly int state, bool mustStop) =>
        platform.MaySpin && _pace.IsDense && _ownLooks.Allows() && _stubLooks.Allows()
            ? HandOverSplit(space, thread, in state, mustStop)
            : HandOverTogether(space, thread, in state, mustStop);

    /// <summary>Waits for a thread that has just been made.</summary>
    public bool Await(SystrapAddressSpace space, StubThread thread, ref readonly int state) => Await(space, thread, in state, looks: 0, yields: 0, mustStop: true, out _);

    /// <summary>Nothing will be handed over for a while: see <see cref="IContext.Rest"/>.</summary>
    public void Rest(StubThread? thread)
    {
        _pair.Rest();
        thread?.StopLooking();
        _isStubLooking = false; // that it sleeps now says nothing
    }

    /// <summary>The calling thread serves the task no more.</summary>
    public void End() => _pair.Leave();

    private bool HandOverSplit(SystrapAddressSpace space, StubThread thread, ref readonly int state, bool mustStop)
    {
        _pair.Split();
        bool isShared = _pair.IsLaneShared;
        int looks = isShared ? SharedLooks : Looks;
        NoteStub(thread, thread.Resume(looks, SplitYields));
        _isStubLooking = true;
        _isStubYielding = false;
        bool isSample = ++_calls % CallsPerSample == 0;
        long start = isSample ? Stopwatch.GetTimestamp() : 0;
        bool isBack = Await(space, thread, in state, looks, SplitYields, mustStop, out bool hasSlept);
        _ownLooks.Note(hasSlept);
        if (isSample)
        {
            _pace.Note(Stopwatch.GetTimestamp() - start, isShared);
        }

        return isBack;
    }

    private bool HandOverTogether(SystrapAddressSpace space, StubThread thread, ref readonly int state, bool mustStop)
    {
        _pair.Join(thread.Place);
        bool ownYields = _ownYields.Allows();
        bool stubYields = _stubYields.Allows();
        NoteStub(thread, thread.Resume(0, stubYields ? StubYields : 0));
        _isStubLooking = false;
        _isStubYielding = stubYields;
        long start = Stopwatch.GetTimestamp();
        bool isBack = Await(space, thread, in state, 0, ownYields ? OwnYields : 0, mustStop, out _);
        long took = Stopwatch.GetTimestamp() - start;
        _pace.Note(took, isShared: false);
        if (ownYields)
        {
            _ownYields.Note(took > LongWaitNs);
        }

        return isBack;
    }

    // How the stub's last wait went.
    private void NoteStub(StubThread thread, bool hasSlept)
    {
        bool isDisturbed = thread.TakeLongestYield() > LongYield;
        if (isDisturbed)
        {
            _pair.NoteDisturbance();
        }

        if (_isStubLooking)
        {
            _stubLooks.Note(hasSlept || isDisturbed); // a lane that is shared disturbs as well, but only once in thousands of calls
        }

        if (_isStubYielding)
        {
            _stubYields.Note(isDisturbed);
        }
    }

    private bool Await(SystrapAddressSpace space, StubThread thread, ref readonly int state, int looks, int yields, bool mustStop, out bool hasSlept)
    {
        int stubbornSeconds = 0;
        long patienceMs = _pair.IsStubBound ? ComputesMs : LivenessMs;
        for (HandOverResult result = thread.WaitForTurn(looks, yields, patienceMs); ; result = thread.WaitForTurn(0, 0, patienceMs))
        {
            hasSlept = result != HandOverResult.Spun;
            if (result != HandOverResult.TimedOut)
            {
                return true;
            }

            if (patienceMs == ComputesMs)
            {
                _pair.FreeStub();
                patienceMs = LivenessMs;
                continue;
            }

            if (!space.IsAlive())
            {
                return false;
            }

            if ((mustStop || (Volatile.Read(in state) & Interrupted) != 0) && ++stubbornSeconds >= StubbornSeconds)
            {
                space.Kill();
            }
        }
    }
}
