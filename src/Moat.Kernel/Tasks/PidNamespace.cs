namespace Moat.Kernel.Tasks;

/// <summary>The process ids of a sandbox (pid_namespaces(7)). Guarded by <see cref="SentryKernel.TaskLock"/>, but for the look-ups that say otherwise.</summary>
public sealed class PidNamespace
{
    /// <summary>Ids stay below this: kernel.pid_max.</summary>
    public const int Limit = 4 << 20;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, GuestTask> _tasks = []; // guarded by _lock
    private readonly HashSet<int> _reserved = []; // guarded by _lock: groups and sessions whose leader has gone
    private int _last; // guarded by _lock

    /// <summary>The last id that was given out.</summary>
    public int LastPid => _last;

    /// <summary>Takes a free id for a task. 0 when all are in use.</summary>
    public int Allocate(GuestTask task)
    {
        lock (_lock)
        {
            if (_tasks.Count + _reserved.Count >= Limit - 1)
            {
                return 0;
            }

            do
            {
                _last = _last + 1 < Limit ? _last + 1 : 300;
            }
            while (_tasks.ContainsKey(_last) || _reserved.Contains(_last));
            _tasks.Add(_last, task);
            return _last;
        }
    }

    /// <summary>Frees a task's id, unless a process group or session still has its number.</summary>
    public void Free(int pid, bool keepReserved)
    {
        lock (_lock)
        {
            _tasks.Remove(pid);
            if (keepReserved)
            {
                _reserved.Add(pid);
            }
        }
    }

    /// <summary>A group or session with this number has gone.</summary>
    public void Unreserve(int pid)
    {
        lock (_lock)
        {
            _reserved.Remove(pid);
        }
    }

    /// <summary>Gives a task another's id: execve(2) by a thread that becomes the leader.</summary>
    public void Replace(int pid, GuestTask task)
    {
        lock (_lock)
        {
            _tasks[pid] = task;
        }
    }

    /// <summary>The task with this id, or null. Any thread.</summary>
    public GuestTask? FindTask(int tid)
    {
        lock (_lock)
        {
            return _tasks.GetValueOrDefault(tid);
        }
    }

    /// <summary>The process with this id, or null. Any thread.</summary>
    public ThreadGroup? FindProcess(int pid) => FindTask(pid) is { } task && task.ThreadGroup.Pid == pid ? task.ThreadGroup : null;

    /// <summary>All processes by id. Any thread.</summary>
    public IReadOnlyList<ThreadGroup> ListProcesses()
    {
        lock (_lock)
        {
            List<ThreadGroup> list = [];
            foreach ((int tid, GuestTask task) in _tasks)
            {
                if (task.ThreadGroup.Pid == tid)
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
}
