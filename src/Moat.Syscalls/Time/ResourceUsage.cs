using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Syscalls.Time;

/// <summary>getrusage(2), times(2).</summary>
internal static class ResourceUsage
{
    private const long NanosecondsPerTick = 10_000_000;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getrusage, GetRusage, Arg.Int, Arg.Pointer);
        table.Add(SyscallNumber.times, Times, Arg.Pointer);
    }

    /// <summary>Writes a <c>struct rusage</c>: CPU time, the largest resident set, faults and voluntary switches; what Linux keeps no longer, or the host knows alone, is 0.</summary>
    public static Errno Write(GuestTask task, GuestAddress address, CpuTimes cpu, TaskUsage used)
    {
        Span<long> usage = stackalloc long[18];
        usage.Clear();
        (usage[0], usage[1]) = (cpu.UserNs / Timespec.NanosecondsPerSecond, cpu.UserNs % Timespec.NanosecondsPerSecond / 1000);
        (usage[2], usage[3]) = (cpu.SystemNs / Timespec.NanosecondsPerSecond, cpu.SystemNs % Timespec.NanosecondsPerSecond / 1000);
        usage[4] = (long)used.PeakResidentBytes / 1024;
        usage[8] = used.Faults;
        usage[16] = used.VoluntarySwitches;
        return task.Memory.CopyOut(address, MemoryMarshal.AsBytes(usage));
    }

    private static SyscallResult GetRusage(GuestTask task, in SyscallArguments arguments)
    {
        const int Self = 0;
        const int Children = -1;
        const int Thread = 1;
        ThreadGroup group = task.ThreadGroup;
        switch (arguments.Int(0))
        {
            case Self:
                return Write(task, arguments.Address(1), group.CpuTimes, group.SumUsage());
            case Thread:
                task.Usage.NotePeak(task.Memory.PeakResidentBytes);
                return Write(task, arguments.Address(1), task.CpuClock.Now, task.Usage);
            case Children:
                return Write(task, arguments.Address(1), group.ChildrenCpuTimes, group.ChildrenUsage);
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult Times(GuestTask task, in SyscallArguments arguments)
    {
        if (!arguments.Address(0).IsNull)
        {
            CpuTimes own = task.ThreadGroup.CpuTimes;
            CpuTimes children = task.ThreadGroup.ChildrenCpuTimes;
            Span<long> ticks = [own.UserNs / NanosecondsPerTick, own.SystemNs / NanosecondsPerTick, children.UserNs / NanosecondsPerTick, children.SystemNs / NanosecondsPerTick];
            Errno errno = task.Memory.CopyOut(arguments.Address(0), MemoryMarshal.AsBytes(ticks));
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return task.Kernel.Clock.MonotonicNs / NanosecondsPerTick;
    }
}
