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

    /// <summary>Writes a <c>struct rusage</c>: CPU time and the resident set; the other fields are 0.</summary>
    public static Errno Write(GuestTask task, GuestAddress address, CpuTimes cpu, ulong residentBytes)
    {
        Span<long> usage = stackalloc long[18];
        usage.Clear();
        (usage[0], usage[1]) = (cpu.UserNs / Timespec.NanosecondsPerSecond, cpu.UserNs % Timespec.NanosecondsPerSecond / 1000);
        (usage[2], usage[3]) = (cpu.SystemNs / Timespec.NanosecondsPerSecond, cpu.SystemNs % Timespec.NanosecondsPerSecond / 1000);
        usage[4] = (long)residentBytes / 1024;
        return task.Memory.CopyOut(address, MemoryMarshal.AsBytes(usage));
    }

    private static SyscallResult GetRusage(GuestTask task, in SyscallArguments arguments)
    {
        const int Self = 0;
        const int Children = -1;
        const int Thread = 1;
        CpuTimes? cpu = arguments.Int(0) switch { Self => task.ThreadGroup.CpuTimes, Thread => task.CpuClock.Now, Children => task.ThreadGroup.ChildrenCpuTimes, _ => null };
        return cpu is { } used ? Write(task, arguments.Address(1), used, arguments.Int(0) == Children ? 0 : task.Memory.ResidentBytes) : Errno.EINVAL;
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
