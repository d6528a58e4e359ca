namespace Moat.Kernel.Tasks;

/// <summary>Whoever controls a container from outside. Called with the task lock held: it only notes what it hears.</summary>
public interface IProcessObserver
{
    /// <summary>A process has ended; <see cref="ThreadGroup.ExitStatus"/> is final.</summary>
    void OnProcessExit(ThreadGroup group);

    /// <summary>The container's first process has ended with this wait status: the others are on their way.</summary>
    void OnInitExit(int status);

    /// <summary>No task is left: nothing uses its files any more.</summary>
    void OnEmpty();
}
