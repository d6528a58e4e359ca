namespace Moat.Kernel.Tasks;

/// <summary>Whoever controls the sandbox from outside. Called with the task lock held: it only notes what it hears.</summary>
public interface IProcessObserver
{
    /// <summary>A process has ended; <see cref="ThreadGroup.ExitStatus"/> is final.</summary>
    void OnProcessExit(ThreadGroup group);

    /// <summary>The first process has ended with this wait status.</summary>
    void OnInitExit(int status);

    /// <summary>The kernel has a bug and cannot go on. Called without the lock.</summary>
    /// <param name="summary">What failed, in one line.</param>
    void OnBug(string summary);
}
