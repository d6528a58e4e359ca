using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2).</summary>
internal static class Priorities
{
    private const int Process = 0;
    private const int Group = 1;
    private const int User = 2;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getpriority, GetPriority, Arg.Int, Arg.Int);
        table.Add(SyscallNumber.setpriority, SetPriority, Arg.Int, Arg.Int, Arg.Int);
        table.Add(SyscallNumber.ioprio_get, IoprioGet, Arg.Int, Arg.Int);
        table.Add(SyscallNumber.ioprio_set, IoprioSet, Arg.Int, Arg.Int, Arg.Hex);
    }

    /// <summary>Whether RLIMIT_NICE allows a nice value.</summary>
    public static bool MayLower(GuestTask target, int nice) => (ulong)(20 - nice) <= target.ThreadGroup.Limits.Get(ResourceLimits.Nice).Current;

    private static SyscallResult GetPriority(GuestTask task, in SyscallArguments arguments)
    {
        const int KernelZero = 20; // the call returns 20 - nice, so that no value is negative
        int which = arguments.Int(0);
        if (which is not (Process or Group or User))
        {
            return Errno.EINVAL;
        }

        int best = int.MinValue;
        foreach (GuestTask target in Select(task, which, arguments.Int(1)))
        {
            best = Math.Max(best, KernelZero - target.Scheduling.Nice);
        }

        return best == int.MinValue ? Errno.ESRCH : best;
    }

    private static SyscallResult SetPriority(GuestTask task, in SyscallArguments arguments)
    {
        int which = arguments.Int(0);
        if (which is not (Process or Group or User))
        {
            return Errno.EINVAL;
        }

        int nice = Math.Clamp(arguments.Int(2), -20, 19);
        Errno errno = Errno.ESRCH;
        foreach (GuestTask target in Select(task, which, arguments.Int(1)))
        {
            if (!Scheduling.MayChange(task, target))
            {
                errno = Errno.EPERM;
            }
            else if (nice < target.Scheduling.Nice && !task.Credentials.HasCapability(Capability.CAP_SYS_NICE) && !MayLower(target, nice))
            {
                errno = Errno.EACCES;
            }
            else
            {
                target.Scheduling.Nice = nice;
                errno = errno == Errno.ESRCH ? Errno.None : errno;
            }
        }

        return errno;
    }

    private static SyscallResult IoprioGet(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Int(0) is < 1 or > 3)
        {
            return Errno.EINVAL;
        }

        int best = -1;
        foreach (GuestTask target in Select(task, arguments.Int(0) - 1, arguments.Int(1)))
        {
            int own = target.Scheduling.IoPriority;
            best = best < 0 || (own != 0 && own < best) ? own : best;
        }

        return best < 0 ? Errno.ESRCH : best;
    }

    private static SyscallResult IoprioSet(GuestTask task, in SyscallArguments arguments)
    {
        const int ClassShift = 13;
        const int RealTime = 1;
        const int BestEffort = 2;
        const int Idle = 3;
        const int LevelMask = 7;
        int wanted = arguments.Int(2);
        switch (wanted >> ClassShift)
        {
            case RealTime when !task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN) && !task.Credentials.HasCapability(Capability.CAP_SYS_NICE):
                return Errno.EPERM;
            case RealTime or BestEffort or Idle:
                break;
            case 0 when (wanted & LevelMask) == 0:
                break;
            default:
                return Errno.EINVAL;
        }

        if (arguments.Int(0) is < 1 or > 3)
        {
            return Errno.EINVAL;
        }

        Errno errno = Errno.ESRCH;
        foreach (GuestTask target in Select(task, arguments.Int(0) - 1, arguments.Int(1)))
        {
            TaskCredentials who = task.Credentials;
            if (target.Credentials.RealUid != who.EffectiveUid && target.Credentials.RealUid != who.RealUid && !who.HasCapability(Capability.CAP_SYS_NICE))
            {
                return Errno.EPERM;
            }

            target.Scheduling.IoPriority = wanted;
            errno = Errno.None;
        }

        return errno;
    }

    private static List<GuestTask> Select(GuestTask task, int which, int id)
    {
        List<GuestTask> selected = [];
        lock (task.Kernel.TaskLock)
        {
            if (which == Process)
            {
                GuestTask? one = id == 0 ? task : task.Pids.FindTask(id);
                return one is null ? selected : [one];
            }

            ProcessGroup? group = id == 0 ? task.ThreadGroup.ProcessGroup : which == Group ? task.Pids.FindGroup(id) : null;
            uint user = id == 0 ? task.Credentials.RealUid : (uint)id;
            foreach (ThreadGroup process in task.Pids.ListProcesses())
            {
                foreach (GuestTask candidate in process.Tasks)
                {
                    if (which == Group ? group is not null && process.ProcessGroup == group : candidate.Credentials.RealUid == user)
                    {
                        selected.Add(candidate);
                    }
                }
            }
        }

        return selected;
    }
}
