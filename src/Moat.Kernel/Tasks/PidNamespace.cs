using Moat.Kernel.Namespaces;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>Process ids (pid_namespaces(7)): of a whole sandbox, which nobody in it sees, of a container, or of what a process has made for its children. Whoever is in one has a number in each above
/// it, too. Guarded by <see cref="SentryKernel.TaskLock"/>, but for the look-ups that say otherwise.</summary>
/// <param name="parent">The one above; null for that of the sandbox.</param>
/// <param name="id">The number that /proc/PID/ns shows.</param>
public sealed class PidNamespace(PidNamespace? parent, ulong id) : INamespace
{
    /// <summary>Ids stay below this: kernel.pid_max.</summary>
    public const int Limit = 4 << 20;

    private const int MaxLevel = 32; // MAX_PID_NS_LEVEL
    private const int FirstAfterWrap = 300; // RESERVED_PIDS

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, GuestTask> _tasks = []; // guarded by _lock
    private readonly ThreadParker _others = new(); // unparked when somebody has gone while it ends
    private readonly HashSet<int> _reserved = []; // guarded by _lock: groups and sessions whose leader has gone
    private int _last; // guarded by _lock
    private bool _isEnding; // its first process ends, and nobody else may come; guarded by the task lock

    /// <inheritdoc/>
    public ulong Id => id;

    /// <inheritdoc/>
    public ulong CloneFlag => CloneRequest.NewPids;

    /// <summary>The one above; null for that of the sandbox.</summary>
    public PidNamespace? Parent => parent;

    /// <summary>How many are above it.</summary>
    public int Level { get; } = parent is null ? 0 : parent.Level + 1;

    /// <summary>Its first process, which gets the children of those that end and with which everything in it ends; null before there is one, and for that of the sandbox.</summary>
    public ThreadGroup? Init { get; private set; }

    /// <summary>Set when the first process is being killed from outside: it is not spared then.</summary>
    public bool IsKillingInit { get; set; }

    /// <summary>Whether it was made inside the sandbox, by a process.</summary>
    public bool IsNested => Level > 1;

    /// <summary>Whether its first process is ending: who ends in it is waited for by nobody.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>The last number that was given out.</summary>
    public int LastPid => _last;

    /// <summary>Whether another one is above it, at whatever distance.</summary>
    public bool IsBelow(PidNamespace other)
    {
        PidNamespace? at = parent;
        while (at is not null && at != other)
        {
            at = at.Parent;
        }

        return at is not null;
    }

    /// <summary>CLONE_NEWPID: another one below.</summary>
    /// <returns>ENOSPC if there are too many levels.</returns>
    public Result<PidNamespace> MakeChild(NamespaceIds ids) => Level >= MaxLevel ? Errno.ENOSPC : new PidNamespace(this, ids.Next());

    /// <summary>There is nothing in a namespace that would have to end.</summary>
    public bool TryAddUser() => true;

    /// <inheritdoc/>
    public void RemoveUser()
    {
    }

    /// <summary>Takes free numbers for a task, here and above.</summary>
    /// <returns>EAGAIN when all are in use; ENOMEM once its first process has ended.</returns>
    public Result<TaskId> Allocate(GuestTask task)
    {
        if (_isEnding && IsNested)
        {
            return Errno.ENOMEM;
        }

        int[] numbers = new int[Level + 1];
        for (PidNamespace? at = this; at is not null; at = at.Parent)
        {
            numbers[at.Level] = at.Take(task);
            if (numbers[at.Level] == 0)
            {
                for (PidNamespace taken = this; taken != at; taken = taken.Parent!)
                {
                    taken.Free(numbers[taken.Level], keepReserved: false);
                }

                return Errno.EAGAIN;
            }
        }

        return new TaskId(this, numbers);
    }

    /// <summary>The first process has come.</summary>
    public void SetInit(ThreadGroup process) => Init ??= process;

    /// <summary>It ends, and everything else with it (pid_namespaces(7)).</summary>
    internal void OnInitExit()
    {
        _isEnding = true;
        foreach (ThreadGroup process in ListProcesses())
        {
            if (process != Init)
            {
                ProcessExit.EndGroup(process, (int)Signal.SIGKILL);
            }
        }
    }

    /// <summary>Frees a task's numbers, unless a process group or session still has them.</summary>
    public static void Free(TaskId gone, bool keepReserved)
    {
        for (PidNamespace? at = gone.Namespace; at is not null; at = at.Parent)
        {
            at.Free(gone.In(at), keepReserved);
            if (at is { _isEnding: true, IsNested: true })
            {
                at._others.Unpark();
            }
        }
    }

    /// <summary>A group or session with these numbers has gone.</summary>
    public static void Unreserve(TaskId gone)
    {
        for (PidNamespace? at = gone.Namespace; at is not null; at = at.Parent)
        {
            lock (at._lock)
            {
                at._reserved.Remove(gone.In(at));
            }
        }
    }

    /// <summary>Gives a task another's id: execve(2) by a thread that becomes the leader.</summary>
    public static void Replace(TaskId taken, GuestTask task)
    {
        for (PidNamespace? at = taken.Namespace; at is not null; at = at.Parent)
        {
            lock (at._lock)
            {
                at._tasks[taken.In(at)] = task;
            }
        }
    }

    /// <summary>The task with this number, or null. Any thread.</summary>
    public GuestTask? FindTask(int tid)
    {
        lock (_lock)
        {
            return _tasks.GetValueOrDefault(tid);
        }
    }

    /// <summary>Waits until there is no task of another process. Without the task lock.</summary>
    internal void AwaitOthers(ThreadGroup process)
    {
        while (HasOthersThan(process))
        {
            _others.Park(long.MaxValue);
        }
    }

    private bool HasOthersThan(ThreadGroup process)
    {
        lock (_lock)
        {
            foreach (GuestTask task in _tasks.Values)
            {
                if (task.ThreadGroup != process)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The process with this number, or null. Any thread.</summary>
    public ThreadGroup? FindProcess(int pid) => FindTask(pid) is { } task && task.ThreadGroup.Leader == task ? task.ThreadGroup : null;

    /// <summary>The process group with this number, or null.</summary>
    public ProcessGroup? FindGroup(int number)
    {
        foreach (ThreadGroup process in ListProcesses())
        {
            if (process.ProcessGroup is { } group && group.Id.In(this) == number)
            {
                return group;
            }
        }

        return null;
    }

    /// <summary>The number here of a task that has another one in the namespace of the whole sandbox; 0 if there is none. Any thread.</summary>
    public int Translate(SentryKernel kernel, int number) => kernel.Pids.FindTask(number)?.Id.In(this) ?? 0;

    /// <summary>Whether a task, a process group or a session has this number. Any thread.</summary>
    public bool IsInUse(int number)
    {
        lock (_lock)
        {
            return _tasks.ContainsKey(number) || _reserved.Contains(number);
        }
    }

    /// <summary>All processes by number. Any thread.</summary>
    public IReadOnlyList<ThreadGroup> ListProcesses()
    {
        lock (_lock)
        {
            List<ThreadGroup> list = [];
            foreach (GuestTask task in _tasks.Values)
            {
                if (task.ThreadGroup.Leader == task)
                {
                    list.Add(task.ThreadGroup);
                }
            }

            return list;
        }
    }

    /// <summary>How many tasks there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _tasks.Count;
            }
        }
    }

    // 0 when all are in use.
    private int Take(GuestTask task)
    {
        lock (_lock)
        {
            if (_tasks.Count + _reserved.Count >= Limit - 1)
            {
                return 0;
            }

            do
            {
                _last = _last + 1 < Limit ? _last + 1 : FirstAfterWrap;
            }
            while (_tasks.ContainsKey(_last) || _reserved.Contains(_last));
            _tasks.Add(_last, task);
            return _last;
        }
    }

    private void Free(int number, bool keepReserved)
    {
        lock (_lock)
        {
            _tasks.Remove(number);
            if (keepReserved)
            {
                _reserved.Add(number);
            }
        }
    }
}
