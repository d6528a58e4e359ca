using Moat.Oci;

namespace Moat.Control;

/// <summary>What the command line tells a Sentry at its start: JSON in a memfd. It names no paths to open: whatever the Sentry needs of the host is a descriptor that it inherits.</summary>
public sealed record BootConfig
{
    /// <summary>The descriptor that holds this configuration: 3, after the Sentry's own standard streams, which lead to its debug log or nowhere.</summary>
    public const int Descriptor = 3;

    /// <summary>The length of the exit status file.</summary>
    public const int ExitStatusBytes = 16;

    /// <summary>The container's id.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The container's configuration, validated.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>The flags that matter inside.</summary>
    public required SandboxFlags Flags { get; init; }

    /// <summary>What was found out about the host.</summary>
    public required BootFacts Facts { get; init; }

    /// <summary>The listening control socket.</summary>
    public required int ControlFd { get; init; }

    /// <summary>Where the Sentry writes its <see cref="BootReport"/> when the first process can be started, or why it can't; closed after it.</summary>
    public required int ReadyFd { get; init; }

    /// <summary>A file for the container's exit code, in decimal and filled up with zero bytes, which the Sentry writes before it ends with that code. It has this length already, and the
    /// Sentry maps it and closes it: all it can do to the file later is to change these bytes.</summary>
    public required int ExitStatusFd { get; init; }

    /// <summary>The root, first, and the bind mounts of the configuration in its order.</summary>
    public required IReadOnlyList<BootMount> Mounts { get; init; }

    /// <summary>The first process's standard input, output and error; with a terminal the same one three times. -1 for one that the process does not have.</summary>
    public required IReadOnlyList<int> StdioFds { get; init; }

    /// <summary>The debug log; -1 for none.</summary>
    public required int DebugLogFd { get; init; }

    /// <summary>Where messages for the application's owner go; -1 for nowhere.</summary>
    public required int UserLogFd { get; init; }

    /// <summary>Descriptors from 3 on that the first process inherits (--preserve-fds), in order.</summary>
    public required IReadOnlyList<int> PreservedFds { get; init; }
}
