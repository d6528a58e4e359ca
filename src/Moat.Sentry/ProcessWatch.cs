using Moat.Kernel.Tasks;

namespace Moat.Sentry;

/// <summary>Knows how the processes that were started from outside ended: the first one, whose end is its container's, and those of exec.</summary>
internal sealed class ProcessWatch : IProcessObserver, IDisposable
{
    private const int KilledStatus = 128 + 9;
    private const int MaxEnded = 4096;

    private readonly object _lock = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly ManualResetEventSlim _empty = new();
    private readonly ExecStatuses _statuses = new(MaxEnded); // guarded by _lock
    private volatile int _status;

    /// <summary>Whether the end has come.</summary>
    public bool HasEnded => _ended.IsSet;

    /// <summary>Waits for the container's end; returns the exit code as a shell reports it.</summary>
    public int Wait()
    {
        _ended.Wait();
        return _status;
    }

    /// <summary>Waits until the end or until nobody is interested any more.</summary>
    public bool TryWait(CancellationToken cancellation, out int status)
    {
        try
        {
            _ended.Wait(cancellation);
            status = _status;
            return true;
        }
        catch (OperationCanceledException)
        {
            status = 0;
            return false;
        }
    }

    /// <summary>A process is about to be started by exec.</summary>
    public void Add(int pid)
    {
        lock (_lock)
        {
            _statuses.Begin(pid);
        }
    }

    /// <summary>It did not start after all.</summary>
    public void Forget(int pid)
    {
        lock (_lock)
        {
            _statuses.Forget(pid);
        }
    }

    /// <summary>Whether exec has started a process, and how it ended is not forgotten.</summary>
    public bool Knows(int pid)
    {
        lock (_lock)
        {
            return _statuses.Knows(pid);
        }
    }

    /// <summary>Waits for the end of a process of exec.</summary>
    public bool TryWait(int pid, CancellationToken cancellation, out int status)
    {
        using CancellationTokenRegistration wake = cancellation.Register(WakeAll);
        lock (_lock)
        {
            while (true)
            {
                if (_statuses.TryGet(pid, out status))
                {
                    return true;
                }

                if (_ended.IsSet)
                {
                    status = KilledStatus; // went down with the container
                    return true;
                }

                if (cancellation.IsCancellationRequested || !_statuses.IsRunning(pid))
                {
                    return false;
                }

                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>The end comes from outside.</summary>
    public void End(int status)
    {
        if (!_ended.IsSet)
        {
            _status = status;
            _ended.Set();
            WakeAll();
        }
    }

    /// <inheritdoc/>
    public void OnProcessExit(ThreadGroup group)
    {
        lock (_lock)
        {
            if (_statuses.End(group.Pid, ToExitCode(group.ExitStatus)))
            {
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <inheritdoc/>
    public void OnInitExit(int status) => End(ToExitCode(status));

    /// <inheritdoc/>
    public void OnEmpty() => _empty.Set();

    /// <summary>Waits until none of the container's tasks is left.</summary>
    public bool AwaitEmpty(int timeoutMs) => _empty.Wait(timeoutMs);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Dispose();
        _empty.Dispose();
    }

    private static int ToExitCode(int status) => (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);

    private void WakeAll()
    {
        lock (_lock)
        {
            Monitor.PulseAll(_lock);
        }
    }
}
