namespace Moat.Control;

/// <summary>A sandbox's answer.</summary>
public sealed record ControlReply
{
    /// <summary>Null on success, otherwise one line.</summary>
    public string? Error { get; init; }

    /// <summary>The errno that goes with an error, or 0. ESRCH: there is no such process (any more).</summary>
    public int Errno { get; init; }

    /// <summary>The process that was started (Exec), or the first one (State, Start).</summary>
    public int Pid { get; init; }

    /// <summary>Signal, SIGTSTP for the foreground: nobody in front can be stopped, so the caller stops, with the sandbox, as a job of its own shell.</summary>
    public bool StopsCaller { get; init; }

    /// <summary>How a process ended: an exit code, or 128 and the signal's number.</summary>
    public int ExitCode { get; init; }

    /// <summary>The sandbox's status (State).</summary>
    public SandboxStatus Status { get; init; }

    /// <summary>Members of the configuration that have no effect (Add).</summary>
    public IReadOnlyList<string>? Ignored { get; init; }

    /// <summary>Processes.</summary>
    public IReadOnlyList<GuestProcess>? Processes { get; init; }

    /// <summary>Counts.</summary>
    public SandboxStatistics? Statistics { get; init; }

    /// <summary>What the Sentry holds (Memory).</summary>
    public SandboxMemory? Memory { get; init; }

    /// <summary>A refusal.</summary>
    public static ControlReply Fail(Linux.Errno errno, string error) => new() { Error = error, Errno = (int)errno };
}
