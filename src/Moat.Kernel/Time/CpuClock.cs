using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Time;

/// <summary>A CPU-time clock: of a process, or of one task (clock_getcpuclockid(3), pthread_getcpuclockid(3)).</summary>
/// <param name="Group">The process.</param>
/// <param name="Task">The task, or null for the whole process.</param>
/// <param name="UserOnly">CPUCLOCK_VIRT: application code alone.</param>
public readonly record struct CpuClock(ThreadGroup Group, GuestTask? Task, bool UserOnly)
{
    private const int KindMask = 3;
    private const int Virtual = 1;
    private const int PerThread = 4;

    /// <summary>What it shows now.</summary>
    public long NowNs
    {
        get
        {
            CpuTimes times = Task?.CpuClock.Now ?? Group.CpuTimes;
            return UserOnly ? times.UserNs : times.TotalNs;
        }
    }

    /// <summary>The clock a negative clock id stands for: the complement of a pid or tid above three bits of kind (<c>linux/posix-timers.h</c>).</summary>
    /// <returns>EINVAL for one that is not there, or a task of another process.</returns>
    public static Result<CpuClock> Find(GuestTask caller, int id)
    {
        int number = ~(id >> 3);
        int kind = id & KindMask;
        if (kind == KindMask)
        {
            return Errno.EINVAL; // a clock device; there are none
        }

        if ((id & PerThread) != 0)
        {
            GuestTask? task = number == 0 ? caller : caller.Pids.FindTask(number);
            return task is null || task.ThreadGroup != caller.ThreadGroup ? Errno.EINVAL : new CpuClock(task.ThreadGroup, task, kind == Virtual);
        }

        ThreadGroup? group = number == 0 ? caller.ThreadGroup : caller.Pids.FindProcess(number);
        return group is null ? Errno.EINVAL : new CpuClock(group, null, kind == Virtual);
    }
}
