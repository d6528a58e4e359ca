using Moat.Linux;

namespace Moat.Control;

/// <summary>Signals that a terminal sends. A Sentry that leads the session of a container's terminal has them blocked and takes them from a descriptor.</summary>
public static class TerminalSignals
{
    /// <summary>Typed ones, and a new window size: for the foreground group.</summary>
    public static readonly SignalSet Foreground =
        SignalSet.Of(Signal.SIGINT) | SignalSet.Of(Signal.SIGQUIT) | SignalSet.Of(Signal.SIGTSTP) | SignalSet.Of(Signal.SIGWINCH);

    /// <summary>All that the Sentry takes: those and a hang-up.</summary>
    public static readonly SignalSet Taken = Foreground | SignalSet.Of(Signal.SIGHUP);

    /// <summary>All that it has blocked: those, and what a terminal stops background processes with, which it never does to the Sentry.</summary>
    public static readonly SignalSet Blocked = Taken | SignalSet.Of(Signal.SIGTTIN) | SignalSet.Of(Signal.SIGTTOU);
}
