using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>A process: the tasks that share signal handlers and an identity. Guarded by <see cref="SentryKernel.TaskLock"/> except where it says otherwise.</summary>
public sealed class ThreadGroup
{
    private GuestTask? _maker;

    /// <summary>Makes a process around its first task, in its parent's group.</summary>
    public ThreadGroup(GuestContainer container, PidNamespace pids, ThreadGroup? parent, Signal exitSignal, SignalActions actions, ResourceLimits limits)
    {
        Container = container;
        Pids = pids;
        Kernel = container.Kernel;
        Parent = parent;
        ExitSignal = exitSignal;
        Actions = actions;
        Limits = limits;
        StartNs = Kernel.Clock.MonotonicNs;
        Timers = new ProcessTimers(this);
    }

    /// <summary>The kernel it runs in.</summary>
    public SentryKernel Kernel { get; }

    /// <summary>The container it belongs to. Any thread.</summary>
    public GuestContainer Container { get; }

    /// <summary>The pid namespace that it lives in. Any thread.</summary>
    public PidNamespace Pids { get; }

    /// <summary>getpid(2): its number where it lives. Any thread.</summary>
    public int Pid => Leader.Tid;

    /// <summary>Its number there and in the namespaces above. Any thread.</summary>
    public TaskId Id => Leader.Id;

    /// <summary>The task whose tid is the pid. Any thread.</summary>
    public GuestTask Leader { get; set; } = null!;

    /// <summary>Its tasks that have not ended.</summary>
    public List<GuestTask> Tasks { get; } = [];

    /// <summary>Who waits for it.</summary>
    public ThreadGroup? Parent { get; set; }

    /// <summary>The task that made it (__WNOTHREAD, PTRACE_TRACEME); when that has ended or the process has got another parent, some other task of the parent.</summary>
    public GuestTask? ParentTask
    {
        get => _maker is { HasEnded: false } maker && maker.ThreadGroup == Parent ? maker : Parent?.Tasks.FirstOrDefault();
        internal set => _maker = value;
    }

    /// <summary>Its children, zombies included.</summary>
    public List<ThreadGroup> Children { get; } = [];

    /// <summary>What the parent gets when it ends.</summary>
    public Signal ExitSignal { get; set; }

    /// <summary>Handlers; shared with CLONE_SIGHAND.</summary>
    public SignalActions Actions { get; set; }

    /// <summary>Signals for the process as a whole.</summary>
    public SignalQueue SharedSignals { get; } = new();

    /// <summary>Told when a signal is queued for the process or one of its tasks: signalfd(2).</summary>
    public WaitQueue SignalWaiters { get; } = new();

    /// <summary>Its timers.</summary>
    public ProcessTimers Timers { get; }

    /// <summary>Limits. Any thread.</summary>
    public ResourceLimits Limits { get; }

    /// <summary>Its process group.</summary>
    public ProcessGroup ProcessGroup { get; set; } = null!;

    /// <summary>Whether it has given the session's terminal up for itself (TIOCNOTTY).</summary>
    public bool HasLeftTerminal { get; set; }

    /// <summary>Told of changes in its children.</summary>
    public WaitQueue ChildEvents { get; } = new();

    /// <summary>PR_SET_CHILD_SUBREAPER.</summary>
    public bool IsSubreaper { get; set; }

    /// <summary>Whether it has called execve(2) since it was made: setpgid(2) by the parent is over.</summary>
    public bool HasExecuted { get; set; }

    /// <summary>Whether all tasks have ended and the parent has not waited yet.</summary>
    public bool IsZombie { get; set; }

    /// <summary>Whether exit_group(2) or a deadly signal is ending all tasks.</summary>
    public bool IsExiting { get; set; }

    /// <summary>The wait status it ends with.</summary>
    public int ExitStatus { get; set; }

    /// <summary>Whether job control has stopped it.</summary>
    public bool IsStopped { get; set; }

    /// <summary>The signal that stopped it.</summary>
    public Signal StopSignal { get; set; }

    /// <summary>Whether the parent has not yet been told of the stop by wait.</summary>
    public bool StopUnreported { get; set; }

    /// <summary>Whether the parent has not yet been told of the continuation by wait.</summary>
    public bool ContinueUnreported { get; set; }

    /// <summary>Set while execve(2) waits for the other tasks to end.</summary>
    public GuestTask? Executing { get; set; }

    /// <summary>oom_score_adj.</summary>
    public int OomScoreAdjustment { get; set; }

    /// <summary>The least oom_score_adj that may be set without CAP_SYS_RESOURCE: what somebody with it set last.</summary>
    public int MinOomScoreAdjustment { get; set; }

    /// <summary>nice(2), of its first task. Any thread.</summary>
    public int Nice => Leader.Scheduling.Nice;

    /// <summary>Whether it has used SEM_UNDO.</summary>
    public bool HasSemaphoreUndo { get; set; }

    /// <summary>PR_SET_DUMPABLE.</summary>
    public bool IsDumpable { get; set; } = true;

    /// <summary>personality(2).</summary>
    public uint Personality { get; set; }

    /// <summary>MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED.</summary>
    public bool UsesMembarrier { get; set; }

    /// <summary>Whether it has been waited for: only pidfds know it still.</summary>
    public bool IsReaped { get; set; }

    /// <summary>Told when it ends and when it is reaped: pidfds.</summary>
    public WaitQueue ExitWaiters { get; } = new();

    /// <summary>When it was made, monotonic.</summary>
    public long StartNs { get; }

    /// <summary>CPU time of tasks that have ended.</summary>
    public CpuTimes EndedCpuTimes { get; set; }

    /// <summary>CPU time of children that have been waited for, and theirs.</summary>
    public CpuTimes ChildrenCpuTimes { get; set; }

    /// <summary>CPU time of tasks that have ended, in nanoseconds.</summary>
    public long EndedCpuNs => EndedCpuTimes.TotalNs;

    /// <summary>CPU time of children that have been waited for, in nanoseconds.</summary>
    public long ChildrenCpuNs => ChildrenCpuTimes.TotalNs;

    /// <summary>CPU time of all its tasks so far, in nanoseconds. Any thread.</summary>
    public long CpuNs => CpuTimes.TotalNs;

    /// <summary>CPU time of all its tasks so far. Any thread.</summary>
    public CpuTimes CpuTimes
    {
        get
        {
            lock (Kernel.TaskLock)
            {
                CpuTimes total = EndedCpuTimes;
                foreach (GuestTask task in Tasks)
                {
                    total += task.CpuClock.Now;
                }

                return total;
            }
        }
    }

    /// <summary>What tasks that have ended used.</summary>
    public TaskUsage EndedUsage { get; } = new();

    /// <summary>What children that have been waited for used, and theirs.</summary>
    public TaskUsage ChildrenUsage { get; } = new();

    /// <summary>What all its tasks have used so far. Any thread.</summary>
    public TaskUsage SumUsage()
    {
        lock (Kernel.TaskLock)
        {
            TaskUsage total = new();
            total.Add(EndedUsage);
            foreach (GuestTask task in Tasks)
            {
                total.Add(task.Usage);
                total.NotePeak(task.Memory.PeakResidentBytes);
            }

            return total;
        }
    }

    /// <summary>Its tasks now. Any thread.</summary>
    public IReadOnlyList<GuestTask> ListTasks()
    {
        lock (Kernel.TaskLock)
        {
            return [.. Tasks];
        }
    }
}
