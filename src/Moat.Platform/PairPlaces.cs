namespace Moat.Platform;

/// <summary>How many of a sandbox's pairs of threads (<see cref="ThreadPair"/>) are at work where: on each processor, and on each lane, which is two processors, one for the stubs' threads and one for the
/// Sentry's. All sandboxes of a host have the same lanes. Any thread.</summary>
public sealed class PairPlaces
{
    private readonly int[] _processors;
    private readonly int[] _together; // by processor
    private readonly int[] _split; // by lane

    /// <summary>All of them are empty.</summary>
    /// <param name="processors">The numbers of the processors, in order; none if they are not known.</param>
    public PairPlaces(int[] processors)
    {
        ArgumentNullException.ThrowIfNull(processors);
        _processors = processors;
        AreUsable = _processors.Length > 0;
        _together = new int[AreUsable ? _processors[^1] + 1 : 0];
        _split = new int[_processors.Length / 2];
    }

    /// <summary>Whether pairs may be bound: the host may have taken processors away since.</summary>
    public bool AreUsable { get; private set; }

    /// <summary>Whether there are two processors for a pair.</summary>
    public bool HasLanes => AreUsable && _split.Length > 0;

    /// <summary>The processor of a lane for the stubs' threads.</summary>
    public int StubSide(int lane) => _processors[2 * lane];

    /// <summary>The processor of a lane for the Sentry's threads.</summary>
    public int OwnSide(int lane) => _processors[(2 * lane) + 1];

    /// <summary>Whether a pair may be bound to it.</summary>
    public bool Has(int processor) => Array.BinarySearch(_processors, processor) >= 0;

    /// <summary>The host refuses one of them: from now on it alone decides where threads run.</summary>
    public void GiveUp() => AreUsable = false;

    /// <summary>One more pair is at work on one processor.</summary>
    public void EnterProcessor(int processor) => Interlocked.Increment(ref _together[processor]);

    /// <summary>One less.</summary>
    public void LeaveProcessor(int processor) => Interlocked.Decrement(ref _together[processor]);

    /// <summary>Whether there are more than one.</summary>
    public bool IsProcessorShared(int processor) => Volatile.Read(ref _together[processor]) > 1;

    /// <summary>A processor where a pair would have fewer others beside it than on the one where it is; negative if there is none.</summary>
    public int FindBetter(int processor)
    {
        int best = -1;
        int fewest = Volatile.Read(ref _together[processor]) - 1;
        foreach (int other in _processors)
        {
            if (Volatile.Read(ref _together[other]) is var pairs && pairs < fewest)
            {
                best = other;
                fewest = pairs;
            }
        }

        return best;
    }

    /// <summary>One more pair is at work on a lane: on the one that it is near, where the host has put it beside other sandboxes, unless others have fewer pairs of this one.</summary>
    /// <param name="processor">Where it is.</param>
    public int EnterLane(int processor)
    {
        int lane = Math.Clamp(Array.BinarySearch(_processors, processor) / 2, 0, _split.Length - 1);
        for (int i = 0; i < _split.Length && Volatile.Read(ref _split[lane]) > 0; i++)
        {
            lane = Volatile.Read(ref _split[i]) < Volatile.Read(ref _split[lane]) ? i : lane;
        }

        Interlocked.Increment(ref _split[lane]);
        return lane;
    }

    /// <summary>One less.</summary>
    public void LeaveLane(int lane) => Interlocked.Decrement(ref _split[lane]);

    /// <summary>Whether there are more than one.</summary>
    public bool IsLaneShared(int lane) => Volatile.Read(ref _split[lane]) > 1;
}
