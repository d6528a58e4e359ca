using Moat.Kernel.Time;

namespace Moat.Kernel.Tasks;

/// <summary>Wakes when the CPU timers of a process can be due at the earliest: the CPU time that is left, shared by the tasks that run. While all sleep it is not armed.</summary>
/// <param name="group">The process. Guarded by its kernel's task lock.</param>
internal sealed class CpuTimeCheck(ThreadGroup group) : KernelTimer(group.Kernel.Timers)
{
    private const long ShortestNs = 1_000_000;

    private volatile bool _isStalled;

    /// <summary>Whether it waits for a task to run again. Any thread.</summary>
    public bool IsStalled => _isStalled;

    /// <summary>Comes back when so much CPU time may have passed.</summary>
    public void Schedule(long leftNs)
    {
        _isStalled = false;
        if (leftNs == long.MaxValue)
        {
            Disarm();
            return;
        }

        int running = 0;
        foreach (GuestTask task in group.Tasks)
        {
            running += task.IsBlocked ? 0 : 1;
        }

        _isStalled = running == 0;
        if (running == 0)
        {
            Disarm();
        }
        else
        {
            long wait = Math.Max(ShortestNs, leftNs / running);
            long now = group.Kernel.Clock.MonotonicNs;
            Arm(wait >= long.MaxValue - now ? long.MaxValue : now + wait);
        }
    }

    /// <inheritdoc/>
    protected internal override void OnExpired()
    {
        lock (group.Kernel.TaskLock)
        {
            if (!group.IsZombie)
            {
                group.Timers.CheckCpu();
            }
        }
    }
}
