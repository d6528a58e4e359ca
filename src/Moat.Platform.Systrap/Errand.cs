namespace Moat.Platform.Systrap;

/// <summary>The calls that a thread of the application was last left to make. Until it has made them, whatever else is ordered in its space waits: a call that comes late would undo what came
/// after it. The space's lock guards it.</summary>
/// <param name="orders">The orders of the space.</param>
internal sealed class Errand(StubOrders orders)
{
    private const int MaxYields = 100;
    private const int MaxSleeps = 5000;
    private const long SleepNs = 1_000_000;

    private StubThread? _thread;

    /// <summary>Leaves the orders to a thread that is about to go on, if it may carry them out. What was left before has come to its end.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="onlyOwn">Whether only what concerns nobody but the application may be left.</param>
    public bool TryGive(StubThread thread, bool onlyOwn)
    {
        Span<StubOrder> calls = stackalloc StubOrder[StubOrders.MaxLeft];
        int count = orders.TryLeave(calls, onlyOwn);
        if (count > 0)
        {
            _thread = thread;
            thread.LeaveCalls(calls[..count]);
        }

        return count > 0;
    }

    /// <summary>Waits until the calls have been made, or will not be: the thread is on its way to them, unless it has been stopped there. Then they are orders again.</summary>
    public ErrandEnd Await()
    {
        for (int i = 0; _thread is { HasOwnCalls: true } thread; i++)
        {
            if (thread.IsStoppedEarly)
            {
                thread.ForgetCalls();
                orders.AddLeft();
                _thread = null;
                return ErrandEnd.Stopped;
            }

            if (i < MaxYields)
            {
                Thread.Yield();
            }
            else if (i < MaxYields + MaxSleeps)
            {
                thread.SleepOverCalls(SleepNs); // the processors are others' just now
            }
            else
            {
                return ErrandEnd.Stuck;
            }
        }

        orders.NoteReturn();
        _thread = null;
        return ErrandEnd.Made;
    }
}
