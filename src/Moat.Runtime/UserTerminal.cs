using Moat.Host;
using Moat.Host.Process;
using Moat.Host.Terminals;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Runtime;

/// <summary>The terminal that a waiting command shares with its user's shell: its settings are put back at the end, and while the command is stopped.</summary>
internal sealed class UserTerminal : IDisposable
{
    private readonly int _fd;
    private readonly Termios _settings;

    private UserTerminal(int fd, Termios settings)
    {
        _fd = fd;
        _settings = settings;
    }

    /// <summary>The terminal among the standard streams, or null.</summary>
    public static UserTerminal? Find()
    {
        for (int fd = 0; fd <= 2; fd++)
        {
            if (HostTerminalSettings.Get(fd).TryGet(out Termios settings, out _))
            {
                return new UserTerminal(fd, settings);
            }
        }

        return null;
    }

    /// <summary>Stops the command with its sandbox until the shell continues it.</summary>
    public void Stop(HostProcess sandbox)
    {
        bool hasSettings = HostTerminalSettings.Get(_fd).TryGet(out Termios inside, out _);
        sandbox.Kill(Signal.SIGSTOP);
        Restore();
        if (HostProcess.Find(Environment.ProcessId).TryGet(out HostProcess self, out _))
        {
            self.Kill(Signal.SIGSTOP);
        }

        if (hasSettings && IsInFront)
        {
            HostTerminalSettings.Set(_fd, inside, flushesInput: false);
        }

        sandbox.Kill(Signal.SIGCONT);
    }

    /// <inheritdoc/>
    public void Dispose() => Restore();

    private bool IsInFront => HostTerminalSettings.Count(_fd, TerminalRequest.TIOCGPGRP) == (int)HostCall.Invoke(SyscallNumber.getpgid, 0).Raw;

    private void Restore()
    {
        // From the background it would stop the command, and the settings are the shell's by now.
        if (IsInFront)
        {
            HostTerminalSettings.Set(_fd, _settings, flushesInput: false);
        }
    }
}
