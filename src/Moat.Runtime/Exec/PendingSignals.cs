using Moat.Linux;

namespace Moat.Runtime.Exec;

/// <summary>Signals for a process that is only being started: they wait until it can be sent something.</summary>
/// <param name="send">Sends a process, by its pid, a signal.</param>
internal sealed class PendingSignals(Action<int, Signal> send)
{
    private readonly Lock _lock = new();
    private readonly List<Signal> _waiting = []; // guarded by _lock, each signal once, as the kernel keeps them
    private int _pid; // guarded by _lock; 0 as long as there is no process

    /// <summary>Sends a signal, or keeps it for the process to come.</summary>
    /// <returns>False for one that waits already: who insists means whoever is so slow in starting the process.</returns>
    public bool Take(Signal signal)
    {
        lock (_lock)
        {
            if (_pid != 0)
            {
                send(_pid, signal);
                return true;
            }

            if (_waiting.Contains(signal))
            {
                return false;
            }

            _waiting.Add(signal);
            return true;
        }
    }

    /// <summary>The process is there, and gets what has come for it.</summary>
    public void Release(int pid)
    {
        lock (_lock)
        {
            _waiting.ForEach(signal => send(pid, signal));
            _waiting.Clear();
            _pid = pid;
        }
    }
}
