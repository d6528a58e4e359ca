namespace Moat.Kernel;

/// <summary>The kernel's log: the debug log of the Sentry, or a list in a test. Any thread.</summary>
public interface IKernelLog
{
    /// <summary>Whether debug lines go anywhere: test before building one.</summary>
    bool IsDebug { get; }

    /// <summary>A detail for whoever debugs.</summary>
    void Debug(string message);

    /// <summary>Something an administrator should know once: a call that is not implemented.</summary>
    void Warning(string message);

    /// <summary>A bug of ours, or the host failing.</summary>
    void Error(string message, Exception? exception = null);
}
