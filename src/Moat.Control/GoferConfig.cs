namespace Moat.Control;

/// <summary>What the command line tells a Gofer at its start: JSON in a memfd, descriptor 3.</summary>
public sealed record GoferConfig
{
    /// <summary>The descriptor that holds this configuration.</summary>
    public const int Descriptor = 3;

    /// <summary>The container's id.</summary>
    public required string ContainerId { get; init; }

    /// <summary>What it serves; the root first.</summary>
    public required IReadOnlyList<GoferExport> Exports { get; init; }

    /// <summary>Its own /proc/self/fd, opened with O_PATH as a mount of its own, to open files again that it holds by O_PATH descriptors.</summary>
    public required int DescriptorsFd { get; init; }

    /// <summary>Written with a <see cref="BootReport"/> when it serves, or cannot; closed after it.</summary>
    public required int ReadyFd { get; init; }

    /// <summary>The debug log; -1 for none.</summary>
    public required int DebugLogFd { get; init; }

    /// <summary>Whether details go to the debug log.</summary>
    public required bool Debug { get; init; }
}
