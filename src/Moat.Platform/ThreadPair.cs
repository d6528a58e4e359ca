using System.Diagnostics;
using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>Where a task's two threads run: the Sentry's, which serves it, and the stub's, which runs its code; one of them always waits for the other, which the host does not know. On one processor
/// a hand-over is a change of threads; where each has its own and looks for its turn, it takes a tenth of that; but to wake a sleeper's processor takes ten times as long on a virtual machine.</summary>
/// <remarks>All calls are the Sentry thread's own. A pair on one processor stays there until others crowd it: those of its own sandbox it leaves for an emptier processor, from others the host may take it away.</remarks>
/// <param name="places">Where the sandbox's others are.</param>
public sealed class ThreadPair(PairPlaces places)
{
    private const int Nowhere = -1; // free to go anywhere
    private const int Unknown = -2;
    private const int Patience = 16; // hand-overs beside another pair, after which it goes
    private const long StayMs = 10;

    private int _own = Unknown; // where the thread that made this one is
    private int _stub = Unknown;
    private int _tid;
    private int _processor = Nowhere; // where it is counted
    private int _lane = Nowhere; // the same
    private int _crowded;
    private bool _isDisturbed;
    private long _freed = Stopwatch.GetTimestamp();

    /// <summary>Whether the stub's thread can't go anywhere.</summary>
    public bool IsStubBound => _stub >= 0;

    /// <summary>Whether other pairs are at work on the same lane.</summary>
    public bool IsLaneShared => _lane >= 0 && places.IsLaneShared(_lane);

    /// <summary>Has the calling thread run anywhere: one that serves no task, and was made by one that may be bound.</summary>
    public static void Unbind() => HostProcessors.Free(0);

    /// <summary>The stub's thread is another from now on.</summary>
    /// <param name="tid">It.</param>
    public void Meet(int tid)
    {
        _tid = tid;
        _stub = Unknown;
        if (_own == Unknown)
        {
            Leave();
        }
    }

    /// <summary>Has both on one processor for the next hand-over.</summary>
    /// <param name="stubPlace">Where the stub's thread says that it ran last; negative if it does not.</param>
    public void Join(int stubPlace)
    {
        LeaveLane();
        if (!places.AreUsable || LeaveIfDisturbed())
        {
            return;
        }

        if (_own < 0 || _own != _stub)
        {
            BindTo(_stub == Nowhere && _own >= 0 && places.Has(stubPlace) ? stubPlace : HostProcessors.Current);
        }
        else if (_processor == Nowhere)
        {
            EnterProcessor(_own);
        }
        else if (!places.IsProcessorShared(_own))
        {
            _crowded = Math.Max(_crowded - 1, 0);
        }
        else if (++_crowded > Patience)
        {
            _crowded = 0;
            if (places.FindBetter(_own) is >= 0 and int better)
            {
                BindTo(better);
            }
        }
    }

    /// <summary>Has each on its side of a lane for the next hand-over. There must be one.</summary>
    public void Split()
    {
        if (_lane == Nowhere)
        {
            LeaveProcessor();
            _lane = places.EnterLane(HostProcessors.Current);
        }

        Bind(places.OwnSide(_lane), places.StubSide(_lane));
    }

    /// <summary>The stub's thread may go elsewhere: it computes.</summary>
    public void FreeStub()
    {
        HostProcessors.Free(_tid);
        _stub = Nowhere;
    }

    /// <summary>Others have had the processor for long: at the next opportunity the pair goes elsewhere, if the host finds something better.</summary>
    public void NoteDisturbance() => _isDisturbed = true;

    /// <summary>The Sentry's thread is about to sleep.</summary>
    public void Rest()
    {
        LeaveLane();
        LeaveProcessor();
        LeaveIfDisturbed();
    }

    /// <summary>The Sentry's thread goes on without the other.</summary>
    public void Leave()
    {
        if (_own != Nowhere)
        {
            HostProcessors.Free(0);
            _own = Nowhere;
        }
    }

    // The Sentry's thread wakes wherever the host likes, the next time, and the other follows.
    private bool LeaveIfDisturbed()
    {
        if (!_isDisturbed || Stopwatch.GetElapsedTime(_freed).TotalMilliseconds <= StayMs)
        {
            return false;
        }

        _isDisturbed = false;
        _freed = Stopwatch.GetTimestamp();
        Leave();
        return true;
    }

    private void BindTo(int processor)
    {
        Bind(processor, processor);
        EnterProcessor(processor);
    }

    private void Bind(int own, int stub)
    {
        if (_own != own)
        {
            _own = own;
            if (HostProcessors.Bind(0, own) != Errno.None)
            {
                places.GiveUp();
                Leave();
                FreeStub();
                return;
            }
        }

        if (_stub != stub)
        {
            _stub = HostProcessors.Bind(_tid, stub) == Errno.None ? stub : Nowhere;
        }
    }

    private void EnterProcessor(int processor)
    {
        LeaveProcessor();
        places.EnterProcessor(processor);
        _processor = processor;
    }

    private void LeaveProcessor()
    {
        if (_processor != Nowhere)
        {
            places.LeaveProcessor(_processor);
            _processor = Nowhere;
        }
    }

    private void LeaveLane()
    {
        if (_lane != Nowhere)
        {
            places.LeaveLane(_lane);
            _lane = Nowhere;
        }
    }
}
