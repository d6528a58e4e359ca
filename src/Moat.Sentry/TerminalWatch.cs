using Moat.Control;
using Moat.Filesystems.Tty;
using Moat.Host.Process;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Hands the signals of the first container's own terminal on: the Sentry leads the terminal's session on the host, the foreground group is one of the sandbox's.</summary>
internal static class TerminalWatch
{
    private const int StackBytes = 256 << 10;

    /// <summary>Takes the signals on a thread of its own.</summary>
    /// <exception cref="InvalidOperationException">The host refuses a descriptor.</exception>
    public static void Start(SandboxContainer container)
    {
        if (!SignalDescriptor.Create(TerminalSignals.Taken).TryGet(out int fd, out Errno errno))
        {
            throw new InvalidOperationException($"signalfd: {errno}");
        }

        Thread thread = new(
            () =>
            {
                Signal signal;
                while ((signal = SignalDescriptor.Wait(fd)) != Signal.None)
                {
                    Handle(container, signal);
                }
            },
            StackBytes) { IsBackground = true, Name = "terminal" };
        thread.Start();
    }

    private static void Handle(SandboxContainer container, Signal signal)
    {
        if (container.Group.Console is not Terminal terminal)
        {
            return;
        }

        if (signal == Signal.SIGHUP)
        {
            terminal.HangUp();
        }
        else
        {
            JobControl.SendToForeground(container.Group.Kernel, terminal, SignalSet.Of(signal));
        }
    }
}
