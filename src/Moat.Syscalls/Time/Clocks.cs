using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Time;

/// <summary>clock_gettime(2), clock_getres(2), gettimeofday(2), time(2), nanosleep(2), clock_nanosleep(2), restart_syscall(2).</summary>
internal static class Clocks
{
    private const int Realtime = 0;
    private const int Monotonic = 1;
    private const int ProcessCpu = 2;
    private const int ThreadCpu = 3;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.clock_gettime, ClockGettime, Arg.Clock, Arg.TimespecOut);
        table.Add(SyscallNumber.clock_getres, ClockGetres, Arg.Clock, Arg.TimespecOut);
        table.Add(SyscallNumber.gettimeofday, Gettimeofday, Arg.TimevalOut, Arg.Pointer);
        table.Add(SyscallNumber.time, TimeCall, Arg.Pointer);
        table.Add(SyscallNumber.nanosleep, Nanosleep, Arg.Timespec, Arg.Pointer);
        table.Add(SyscallNumber.clock_nanosleep, ClockNanosleep, Arg.Clock, Arg.Hex, Arg.Timespec, Arg.Pointer);
        table.Add(SyscallNumber.restart_syscall, RestartSyscall);
    }

    /// <summary>What a clock shows now, or null for one that is not there.</summary>
    private static long? Read(GuestTask task, int clock) => clock switch
    {
        Realtime or 5 or 8 or 11 => task.Kernel.Clock.RealtimeNs, // also COARSE, ALARM and TAI
        Monotonic or 4 or 6 => task.Kernel.Clock.MonotonicNs, // also RAW and COARSE
        7 or 9 => task.Kernel.Clock.BoottimeNs,
        ProcessCpu => task.ThreadGroup.CpuNs,
        ThreadCpu => task.CpuNs,
        _ => null,
    };

    private static SyscallResult ClockGettime(GuestTask task, in SyscallArguments arguments) =>
        Read(task, arguments.Int(0)) is { } now ? task.Memory.Write(arguments.Address(1), Timespec.FromNanoseconds(now)) : Errno.EINVAL;

    private static SyscallResult ClockGetres(GuestTask task, in SyscallArguments arguments)
    {
        if (Read(task, arguments.Int(0)) is null)
        {
            return Errno.EINVAL;
        }

        const long CoarseNs = 4_000_000;
        long resolution = arguments.Int(0) is 5 or 6 ? CoarseNs : 1;
        return arguments.Address(1).IsNull ? Errno.None : task.Memory.Write(arguments.Address(1), new Timespec(0, resolution));
    }

    private static SyscallResult Gettimeofday(GuestTask task, in SyscallArguments arguments)
    {
        Timespec now = Timespec.FromNanoseconds(task.Kernel.Clock.RealtimeNs);
        Errno errno = arguments.Address(0).IsNull ? Errno.None : task.Memory.Write(arguments.Address(0), now with { Nanoseconds = now.Nanoseconds / 1000 });
        return errno != Errno.None || arguments.Address(1).IsNull ? errno : task.Memory.Write(arguments.Address(1), 0L);
    }

    private static SyscallResult TimeCall(GuestTask task, in SyscallArguments arguments)
    {
        long seconds = task.Kernel.Clock.RealtimeNs / Timespec.NanosecondsPerSecond;
        Errno errno = arguments.Address(0).IsNull ? Errno.None : task.Memory.Write(arguments.Address(0), seconds);
        return errno != Errno.None ? errno : seconds;
    }

    private static SyscallResult Nanosleep(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Address(0).IsNull)
        {
            return Errno.EFAULT;
        }

        return Guest.DeadlineOf(task, arguments.Address(0)).TryGet(out long deadlineNs, out Errno errno) ? Sleep(task, deadlineNs, arguments.Address(1)) : errno;
    }

    private static SyscallResult ClockNanosleep(GuestTask task, in SyscallArguments arguments)
    {
        const int Absolute = 1;
        int clock = arguments.Int(0);
        if (clock == ThreadCpu || Read(task, clock) is not { } now)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(2), out Timespec time);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!time.IsValid)
        {
            return Errno.EINVAL;
        }

        if ((arguments.Int(1) & Absolute) == 0)
        {
            return Sleep(task, Guest.DeadlineAfter(task, time.ToNanoseconds()), arguments.Address(3));
        }

        long deadlineNs = time.ToNanoseconds() <= now ? 0 : Guest.DeadlineAfter(task, time.ToNanoseconds() - now);
        while ((errno = task.Block(deadlineNs)) == Errno.None)
        {
        }

        return errno == Errno.ETIMEDOUT ? Errno.None : Errno.ERESTARTNOHAND;
    }

    private static SyscallResult Sleep(GuestTask task, long deadlineNs, GuestAddress remainder)
    {
        Errno errno;
        while ((errno = task.Block(deadlineNs)) == Errno.None)
        {
        }

        if (errno == Errno.ETIMEDOUT)
        {
            return SyscallResult.Ok;
        }

        if (!remainder.IsNull)
        {
            long left = Math.Max(0, deadlineNs - task.Kernel.Clock.MonotonicNs);
            errno = task.Memory.Write(remainder, Timespec.FromNanoseconds(left));
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        task.RestartBlock = sleeper => Sleep(sleeper, deadlineNs, remainder);
        return Errno.ERESTART_RESTARTBLOCK;
    }

    private static SyscallResult RestartSyscall(GuestTask task, in SyscallArguments arguments)
    {
        Func<GuestTask, SyscallResult>? restart = task.RestartBlock;
        task.RestartBlock = null;
        return restart is null ? Errno.EINTR : restart(task);
    }
}
