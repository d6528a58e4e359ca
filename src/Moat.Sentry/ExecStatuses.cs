namespace Moat.Sentry;

/// <summary>How processes that exec started have ended, by pid. A pid is used again once its process has been reaped: what is known of an earlier process goes when a later one has its number. Guarded by the caller.</summary>
/// <param name="maxEnded">How many ends are kept at most for whoever asks later.</param>
internal sealed class ExecStatuses(int maxEnded)
{
    private readonly Dictionary<int, long> _running = []; // by pid: which run it is
    private readonly Dictionary<int, (int Status, long Run)> _ended = [];
    private readonly Queue<(int Pid, long Run)> _order = []; // those that have ended, oldest first
    private long _runs;

    /// <summary>A process is about to run.</summary>
    public void Begin(int pid)
    {
        _ended.Remove(pid);
        _running[pid] = ++_runs;
    }

    /// <summary>It did not run after all.</summary>
    public void Forget(int pid) => _running.Remove(pid);

    /// <summary>Whether a process runs.</summary>
    public bool IsRunning(int pid) => _running.ContainsKey(pid);

    /// <summary>Whether a process runs or its end is known.</summary>
    public bool Knows(int pid) => _running.ContainsKey(pid) || _ended.ContainsKey(pid);

    /// <summary>A process has ended; false if exec did not start it.</summary>
    public bool End(int pid, int status)
    {
        if (!_running.Remove(pid, out long run))
        {
            return false;
        }

        _ended[pid] = (status, run);
        _order.Enqueue((pid, run));
        if (_order.Count > maxEnded && _order.Dequeue() is var oldest && _ended.TryGetValue(oldest.Pid, out (int Status, long Run) kept) && kept.Run == oldest.Run)
        {
            _ended.Remove(oldest.Pid);
        }

        return true;
    }

    /// <summary>How a process ended; false if it has not, or nobody knows any more.</summary>
    public bool TryGet(int pid, out int status)
    {
        bool hasEnded = _ended.TryGetValue(pid, out (int Status, long Run) found);
        status = found.Status;
        return hasEnded;
    }
}
