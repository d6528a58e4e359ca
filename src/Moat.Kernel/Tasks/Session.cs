namespace Moat.Kernel.Tasks;

/// <summary>A session (setsid(2)). Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
public sealed class Session(TaskId id)
{
    /// <summary>Its number: the id of its leader.</summary>
    public TaskId Id { get; } = id;

    /// <summary>Its controlling terminal, if it has one.</summary>
    public ITerminal? Terminal { get; set; }

    /// <summary>The foreground group of a terminal that has hung up: it is hung up itself when the leader ends.</summary>
    public ProcessGroup? FormerForeground { get; set; }

    /// <summary>Its groups.</summary>
    public List<ProcessGroup> Groups { get; } = [];
}
