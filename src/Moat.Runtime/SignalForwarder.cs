using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Runtime;

/// <summary>Hands signals that a waiting command gets on to the process that it waits for, so that the command stands for it on the host.</summary>
internal sealed class SignalForwarder : IDisposable
{
    private static readonly Signal[] s_forwarded =
    [
        Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGTERM, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGALRM, Signal.SIGCONT, Signal.SIGTSTP, Signal.SIGWINCH,
    ];

    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Starts forwarding.</summary>
    /// <param name="send">Sends a signal, on a thread of its own. False leaves this process to what the signal does by default.</param>
    public SignalForwarder(Func<Signal, bool> send)
    {
        foreach (Signal signal in s_forwarded)
        {
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)(int)signal, context => context.Cancel = send(signal)));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());
}
