using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>The timers of a process: POSIX timers, interval timers, RLIMIT_CPU. Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
public sealed class ProcessTimers
{
    private readonly ThreadGroup _group;
    private readonly CpuTimeCheck _cpuCheck;
    private SortedDictionary<int, PosixTimer>? _timers;
    private int _nextId;

    /// <summary>No timer.</summary>
    internal ProcessTimers(ThreadGroup group)
    {
        _group = group;
        Real = new RealIntervalTimer(group);
        Virtual = new CpuIntervalTimer(group, Signal.SIGVTALRM, userOnly: true);
        Prof = new CpuIntervalTimer(group, Signal.SIGPROF, userOnly: false);
        _cpuCheck = new CpuTimeCheck(group);
    }

    /// <summary>ITIMER_REAL.</summary>
    public RealIntervalTimer Real { get; }

    /// <summary>ITIMER_VIRTUAL.</summary>
    public CpuIntervalTimer Virtual { get; }

    /// <summary>ITIMER_PROF.</summary>
    public CpuIntervalTimer Prof { get; }

    /// <summary>Whether CPU timers wait for a task of the process to run again. Any thread.</summary>
    internal bool IsCpuCheckStalled => _cpuCheck.IsStalled;

    /// <summary>timer_create(2).</summary>
    /// <returns>EAGAIN when RLIMIT_SIGPENDING is used up, as each timer has a signal set aside.</returns>
    public Result<PosixTimer> Create(GuestClock clock, CpuClock cpuClock, in TimerNotification notification)
    {
        _timers ??= [];
        if ((ulong)_timers.Count >= _group.Limits.Get(ResourceLimits.PendingSignals).Current)
        {
            return Errno.EAGAIN;
        }

        while (_timers.ContainsKey(_nextId))
        {
            _nextId = _nextId == int.MaxValue ? 0 : _nextId + 1;
        }

        PosixTimer timer = new(_group, _nextId, clock, cpuClock, notification);
        _timers.Add(_nextId, timer);
        _nextId = _nextId == int.MaxValue ? 0 : _nextId + 1;
        return timer;
    }

    /// <summary>The POSIX timer with a number, or null.</summary>
    public PosixTimer? Find(int id) => _timers?.GetValueOrDefault(id);

    /// <summary>timer_delete(2).</summary>
    public void Delete(PosixTimer timer)
    {
        timer.Delete();
        _timers!.Remove(timer.Id);
    }

    /// <summary>execve(2): POSIX timers go, interval timers stay.</summary>
    public void DeletePosixTimers()
    {
        foreach (PosixTimer timer in _timers?.Values ?? Enumerable.Empty<PosixTimer>())
        {
            timer.Delete();
        }

        _timers = null;
    }

    /// <summary>The process has ended.</summary>
    internal void Stop()
    {
        DeletePosixTimers();
        Real.Set(0, 0, absolute: false);
        _cpuCheck.Disarm();
    }

    /// <summary>A signal is taken from a queue: if a timer sent it, the timer runs on.</summary>
    internal void OnDelivered(ref SignalInfo info)
    {
        if (info.Code == SignalInfo.SiTimer)
        {
            Find(info.TimerId)?.OnDelivered(ref info);
        }
        else if (info.Signal == Signal.SIGALRM && Real.HasExpired)
        {
            Real.Forward();
        }
    }

    /// <summary>A signal has another action now: timers whose expiries were ignored run on.</summary>
    public void OnActionChanged(Signal signal)
    {
        if (signal == Signal.SIGALRM && Real.HasExpired && !_group.SharedSignals.Pending.Contains(Signal.SIGALRM))
        {
            Real.Forward();
        }

        foreach (PosixTimer timer in _timers?.Values ?? Enumerable.Empty<PosixTimer>())
        {
            timer.RunOnIfForgotten();
        }
    }

    /// <summary>A CPU timer or RLIMIT_CPU has been set, or a sleeping process runs again.</summary>
    public void ScheduleCpuCheck()
    {
        long left = Math.Min(Math.Min(Virtual.RemainingNs, Prof.RemainingNs), CpuLimit.RemainingNs(_group));
        foreach (PosixTimer timer in _timers?.Values ?? Enumerable.Empty<PosixTimer>())
        {
            if (timer.IsCpuTimer)
            {
                left = Math.Min(left, timer.CheckCpu());
            }
        }

        _cpuCheck.Schedule(left);
    }

    /// <summary>Sends what is due by CPU time.</summary>
    internal void CheckCpu()
    {
        CpuLimit.Enforce(_group);
        Virtual.Check();
        Prof.Check();
        ScheduleCpuCheck();
    }
}
