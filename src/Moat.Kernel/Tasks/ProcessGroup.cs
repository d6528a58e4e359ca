namespace Moat.Kernel.Tasks;

/// <summary>A process group (setpgid(2)). Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
public sealed class ProcessGroup(TaskId id, Session session)
{
    /// <summary>Its number: the id of the process that founded it.</summary>
    public TaskId Id { get; } = id;

    /// <summary>The session it is in.</summary>
    public Session Session { get; } = session;

    /// <summary>Its processes.</summary>
    public List<ThreadGroup> Members { get; } = [];

    /// <summary>Whether no member has a parent in another group of the same session: nobody would continue it if it stopped.</summary>
    public bool IsOrphaned
    {
        get
        {
            foreach (ThreadGroup member in Members)
            {
                if (!member.IsZombie && member.Parent is { } parent && parent.ProcessGroup != this && parent.ProcessGroup.Session == Session)
                {
                    return false;
                }
            }

            return true;
        }
    }
}
