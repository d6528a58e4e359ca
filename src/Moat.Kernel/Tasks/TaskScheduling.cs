namespace Moat.Kernel.Tasks;

/// <summary>How a task asks to be scheduled (sched(7)). It is kept, inherited and reported; the host's scheduler decides. Any thread may read; a task's own thread or another's call writes single fields.</summary>
public sealed class TaskScheduling
{
    /// <summary>SCHED_OTHER, SCHED_BATCH or SCHED_IDLE; the real-time policies are not given out.</summary>
    public int Policy { get; set; }

    /// <summary>nice(2): -20 to 19.</summary>
    public int Nice { get; set; }

    /// <summary>SCHED_RESET_ON_FORK.</summary>
    public bool ResetsOnFork { get; set; }

    /// <summary>ioprio_set(2): class and data; 0 for none.</summary>
    public int IoPriority { get; set; }

    /// <summary>PR_SET_TIMERSLACK, in nanoseconds.</summary>
    public ulong TimerSlackNs { get; set; } = 50_000;

    /// <summary>PR_SET_THP_DISABLE.</summary>
    public bool DisablesHugePages { get; set; }

    /// <summary>The processors it may run on, a bit for each; null for all.</summary>
    public ulong[]? Affinity { get; set; }

    /// <summary>What a child starts with.</summary>
    public TaskScheduling Clone() => new()
    {
        Policy = Policy,
        Nice = ResetsOnFork && Nice < 0 ? 0 : Nice,
        IoPriority = IoPriority,
        TimerSlackNs = TimerSlackNs,
        DisablesHugePages = DisablesHugePages,
        Affinity = Affinity,
    };
}
