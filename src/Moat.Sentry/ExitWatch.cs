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
