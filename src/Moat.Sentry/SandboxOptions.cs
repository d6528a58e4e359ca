using Moat.Linux;

namespace Moat.Sentry;

/// <summary>What the Sentry is to run, and what it was given for it.</summary>
public sealed record SandboxOptions
{
    /// <summary>The root directory, opened with O_PATH.</summary>
    public required int RootFd { get; init; }

    /// <summary>The program, as it stands in the sandbox or to be found along PATH.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>NAME=value.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>The working directory in the sandbox.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>The host name in the sandbox.</summary>
    public string HostName { get; init; } = "moat";

    /// <summary>Whether system calls are printed to the log.</summary>
    public bool Strace { get; init; }

    /// <summary>The calls to print; null for all.</summary>
    public IReadOnlySet<SyscallNumber>? StraceOnly { get; init; }

    /// <summary>Where the log goes.</summary>
    public required DebugLog Log { get; init; }

    /// <summary>How much memory the sandbox may use, in bytes.</summary>
    public ulong MemoryBytes { get; init; } = 2UL << 30;
}
