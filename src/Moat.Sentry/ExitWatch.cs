using Moat.Kernel.Tasks;

namespace Moat.Sentry;

/// <summary>Waits for the end of the first process.</summary>
internal sealed class ExitWatch : IProcessObserver, IDisposable
{
    private const int BugStatus = 128;

    private readonly ManualResetEventSlim _ended = new();
    private volatile int _status;

    /// <summary>The bug that ended the sandbox, if one did.</summary>
    public Exception? Bug { get; private set; }

    /// <summary>Waits; returns the exit code as a shell reports it.</summary>
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

    /// <summary>Whether the end has come.</summary>
    public bool HasEnded => _ended.IsSet;

    /// <summary>The end comes from outside.</summary>
    public void End(int status)
    {
        if (!_ended.IsSet)
        {
            _status = status;
            _ended.Set();
        }
    }

    /// <inheritdoc/>
    public void OnProcessExit(ThreadGroup group)
    {
    }

    /// <inheritdoc/>
    public void OnInitExit(int status)
    {
        _status = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
        _ended.Set();
    }

    /// <inheritdoc/>
    public void OnBug(Exception exception)
    {
        Bug = exception;
        _status = BugStatus;
        _ended.Set();
    }

    /// <inheritdoc/>
    public void Dispose() => _ended.Dispose();
}
