namespace Moat.Kernel.Time;

/// <summary>Measures a task's CPU time: the time from its entering application code or the kernel to its leaving, sleep excluded. The host may have run others meanwhile;
/// that is counted too. The task's own thread switches it, any thread reads it.</summary>
/// <param name="clock">The time.</param>
public sealed class TaskCpuClock(IKernelClock clock)
{
    private const int Stopped = 0;
    private const int User = 1;
    private const int System = 2;

    private int _sequence; // odd while the fields below change
    private int _mode;
    private long _sinceNs;
    private long _userNs;
    private long _systemNs;

    /// <summary>The time used so far.</summary>
    public CpuTimes Now
    {
        get
        {
            while (true)
            {
                int before = Volatile.Read(ref _sequence);
                (int mode, long since, long user, long system) = (Volatile.Read(ref _mode), Volatile.Read(ref _sinceNs), Volatile.Read(ref _userNs), Volatile.Read(ref _systemNs));
                if ((before & 1) != 0 || Volatile.Read(ref _sequence) != before)
                {
                    Thread.Yield();
                    continue;
                }

                long passed = mode == Stopped ? 0 : Math.Max(0, clock.MonotonicNs - since);
                return new CpuTimes(mode == User ? user + passed : user, mode == System ? system + passed : system);
            }
        }
    }

    /// <summary>Whether it runs.</summary>
    public bool IsRunning => Volatile.Read(ref _mode) != Stopped;

    /// <summary>Whether the task is in application code, and a number that is another at its next stay there.</summary>
    public bool TryGetUserStay(out int stay)
    {
        stay = Volatile.Read(ref _sequence);
        return (stay & 1) == 0 && Volatile.Read(ref _mode) == User;
    }

    /// <summary>The task enters application code.</summary>
    public void EnterUser() => Switch(User);

    /// <summary>The task enters the kernel, or goes on in it after a sleep.</summary>
    public void EnterSystem() => Switch(System);

    /// <summary>The task sleeps or ends.</summary>
    public void Stop() => Switch(Stopped);

    private void Switch(int mode)
    {
        long now = clock.MonotonicNs;
        Volatile.Write(ref _sequence, _sequence + 1);
        Interlocked.MemoryBarrier();
        long passed = now - _sinceNs;
        if (_mode == User)
        {
            _userNs += passed;
        }
        else if (_mode == System)
        {
            _systemNs += passed;
        }

        _mode = mode;
        _sinceNs = now;
        Volatile.Write(ref _sequence, _sequence + 1);
    }
}
