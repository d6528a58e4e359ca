using Moat.Control;
using Moat.Filesystems.Tty;
using Moat.Host.Process;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Hands the signals of the container's own terminal on: the Sentry leads the terminal's session on the host, the foreground group is one of the sandbox's.</summary>
internal static class TerminalWatch
{
    private const int StackBytes = 256 << 10;

    /// <summary>Takes the signals on a thread of its own.</summary>
    /// <exception cref="InvalidOperationException">The host refuses a descriptor.</exception>
    public static void Start(SentryKernel kernel)
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
                    Handle(kernel, signal);
                }
            },
            StackBytes) { IsBackground = true, Name = "terminal" };
        thread.Start();
    }

    private static void Handle(SentryKernel kernel, Signal signal)
    {
        if (kernel.Console is not Terminal terminal)
        {
            return;
        }

        if (signal == Signal.SIGHUP)
        {
            terminal.HangUp();
        }
        else
        {
            JobControl.SendToForeground(kernel, terminal, SignalSet.Of(signal));
        }
    }
}
