namespace Moat.Platform.Systrap;

/// <summary>Gives a stub thread its turn and waits for the Sentry's, spinning on either side as long as there are processors for it and it pays.</summary>
internal sealed class StubTurns(SystrapPlatform platform)
{
    /// <summary>In a context's state: it was interrupted.</summary>
    public const int Interrupted = 2;

    private const int StubbornSeconds = 5; // after that many an application that can't be interrupted is killed

    private bool _isActive; // counted among the contexts that want processors
    private int _stubLooks;
    private SpinBudget _ownSpins;
    private SpinBudget _stubSpins;

    /// <summary>Lets the thread go on and waits until it hands over.</summary>
    /// <param name="space">The thread's space.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="state">The context's state.</param>
    /// <param name="mustStop">Whether the thread is to hand over soon, also without an interrupt.</param>
    /// <returns>False if it is gone, or has to stop and does not.</returns>
    public bool HandOver(SystrapAddressSpace space, StubThread thread, ref readonly int state, bool mustStop)
    {
        if (!_isActive)
        {
            _isActive = true;
            platform.Enter();
        }

        bool maySpin = platform.MaySpin;
        int nextStubLooks = maySpin ? _stubSpins.Next() : 0;
        bool slept = thread.Resume(nextStubLooks);
        _stubSpins.Note(_stubLooks, slept);
        _stubLooks = nextStubLooks;
        return Await(space, thread, in state, maySpin ? _ownSpins.Next() : 0, mustStop);
    }

    /// <summary>Waits for a thread that has just been made.</summary>
    public bool Await(SystrapAddressSpace space, StubThread thread, ref readonly int state) => Await(space, thread, in state, looks: 0, mustStop: true);

    /// <summary>Nothing will be handed over for a while: see <see cref="IContext.Rest"/>.</summary>
    public void Rest(StubThread? thread)
    {
        if (!_isActive)
        {
            return;
        }

        _isActive = false;
        if (!platform.Leave())
        {
            thread?.StopLooking();
            _stubLooks = 0; // that it sleeps now says nothing
        }
    }

    private bool Await(SystrapAddressSpace space, StubThread thread, ref readonly int state, int looks, bool mustStop)
    {
        int stubbornSeconds = 0;
        for (HandOverResult result = thread.WaitForTurn(looks); ; result = thread.WaitForTurn(0))
        {
            if (result != HandOverResult.TimedOut)
            {
                _ownSpins.Note(looks, result == HandOverResult.Slept);
                return true;
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
