namespace Moat.Control;

/// <summary>What a Sentry cannot find out about the host once it is shut in.</summary>
public sealed record BootFacts
{
    /// <summary>Processors that the container may use.</summary>
    public required int ProcessorCount { get; init; }

    /// <summary>Memory that the container may use, in bytes: its limit, or the host's total.</summary>
    public required ulong MemoryBytes { get; init; }

    /// <summary>How many tasks the container may have.</summary>
    public required int MaxTasks { get; init; }

    /// <summary>The nice value of whoever makes the container, which its processes start with.</summary>
    public int Niceness { get; init; }

    /// <summary>The terminal's rows and columns at the start; 0 without a terminal.</summary>
    public required int TerminalRows { get; init; }

    /// <summary>As above.</summary>
    public required int TerminalColumns { get; init; }
}
