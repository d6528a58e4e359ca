using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>The table of signal(7).</summary>
public static class DefaultActions
{
    /// <summary>SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU.</summary>
    public static readonly SignalSet Stopping = SignalSet.Of(Signal.SIGSTOP) | SignalSet.Of(Signal.SIGTSTP) | SignalSet.Of(Signal.SIGTTIN) | SignalSet.Of(Signal.SIGTTOU);

    /// <summary>The default action of a signal.</summary>
    public static DefaultAction Of(Signal signal) => signal switch
    {
        Signal.SIGQUIT or Signal.SIGILL or Signal.SIGTRAP or Signal.SIGABRT or Signal.SIGBUS or Signal.SIGFPE or Signal.SIGSEGV or Signal.SIGXCPU or Signal.SIGXFSZ or Signal.SIGSYS => DefaultAction.Core,
        Signal.SIGCHLD or Signal.SIGURG or Signal.SIGWINCH => DefaultAction.Ignore,
        Signal.SIGSTOP or Signal.SIGTSTP or Signal.SIGTTIN or Signal.SIGTTOU => DefaultAction.Stop,
        Signal.SIGCONT => DefaultAction.Continue,
        _ => DefaultAction.Terminate,
    };
}
