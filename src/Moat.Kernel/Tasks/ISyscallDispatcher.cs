namespace Moat.Kernel.Tasks;

/// <summary>Carries out the system call that a task's registers hold.</summary>
public interface ISyscallDispatcher
{
    /// <summary>Whether it must see every call, also one whose answer is known.</summary>
    bool WantsEveryCall { get; }

    /// <summary>Runs the call and returns what goes into RAX. Never throws for what the application did.</summary>
    Linux.SyscallResult Dispatch(GuestTask task);

    /// <summary>Told that a handler of the task is about to run.</summary>
    void OnHandler(GuestTask task, in Signals.SignalInfo info);

    /// <summary>Told that the task ends.</summary>
    /// <param name="task">The task.</param>
    /// <param name="status">Its process's wait status, as far as it is known.</param>
    void OnEnd(GuestTask task, int status);
}
