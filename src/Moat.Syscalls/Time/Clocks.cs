using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Syscalls.Time;

/// <summary>clock_gettime(2), clock_getres(2), gettimeofday(2), time(2), nanosleep(2), clock_nanosleep(2), restart_syscall(2), clock_settime(2), settimeofday(2).</summary>
internal static class Clocks
{
    public const int Realtime = 0;
    public const int Monotonic = 1;
    public const int ProcessCpu = 2;
    public const int ThreadCpu = 3;
    public const int MonotonicRaw = 4;
    public const int RealtimeCoarse = 5;
    public const int MonotonicCoarse = 6;
    public const int Boottime = 7;
    public const int RealtimeAlarm = 8;
    public const int BoottimeAlarm = 9;
    public const int Tai = 11;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.clock_gettime, ClockGettime, Arg.Clock, Arg.TimespecOut);
        table.Add(SyscallNumber.clock_getres, ClockGetres, Arg.Clock, Arg.TimespecOut);
        table.Add(SyscallNumber.gettimeofday, Gettimeofday, Arg.TimevalOut, Arg.Pointer);
        table.Add(SyscallNumber.time, TimeCall, Arg.Pointer);
        table.Add(SyscallNumber.nanosleep, Nanosleep, Arg.Timespec, Arg.Pointer);
        table.Add(SyscallNumber.clock_nanosleep, ClockNanosleep, Arg.Clock, Arg.Hex, Arg.Timespec, Arg.Pointer);
        table.Add(SyscallNumber.restart_syscall, RestartSyscall);
        table.Add(SyscallNumber.clock_settime, ClockSettime, Arg.Clock, Arg.Timespec);
        table.Add(SyscallNumber.adjtimex, static (GuestTask task, in SyscallArguments arguments) => Adjust(task, arguments.Address(0)), Arg.Pointer);
        table.Add(SyscallNumber.clock_adjtime, ClockAdjtime, Arg.Clock, Arg.Pointer);
        table.Add(SyscallNumber.settimeofday, Settimeofday, Arg.Timeval, Arg.Pointer);
    }

    /// <summary>What a clock shows now.</summary>
    /// <returns>EINVAL for one that is not there.</returns>
    private static Result<long> Read(GuestTask task, int clock)
    {
        switch (clock)
        {
            case Realtime or RealtimeCoarse or RealtimeAlarm or Tai:
                return task.Kernel.Clock.RealtimeNs;
            case Monotonic or MonotonicRaw or MonotonicCoarse:
                return task.Kernel.Clock.MonotonicNs;
            case Boottime or BoottimeAlarm:
                return task.Kernel.Clock.BoottimeNs;
            case ProcessCpu:
                return task.ThreadGroup.CpuNs;
            case ThreadCpu:
                return task.CpuNs;
            case < 0:
                return CpuClock.Find(task, clock).TryGet(out CpuClock cpu, out Errno errno) ? cpu.NowNs : errno;
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult ClockGettime(GuestTask task, in SyscallArguments arguments) =>
        Read(task, arguments.Int(0)).TryGet(out long now, out Errno errno) ? task.Memory.Write(arguments.Address(1), Timespec.FromNanoseconds(now)) : errno;

    private static SyscallResult ClockGetres(GuestTask task, in SyscallArguments arguments)
    {
        if (!Read(task, arguments.Int(0)).TryGet(out _, out Errno errno))
        {
            return errno;
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
        if (!Read(task, clock).TryGet(out long now, out _))
        {
            return Errno.EINVAL;
        }

        if (clock is ThreadCpu or MonotonicRaw or RealtimeCoarse or MonotonicCoarse)
        {
            return Errno.EOPNOTSUPP;
        }

        if (clock is RealtimeAlarm or BoottimeAlarm && !task.Credentials.HasCapability(Capability.CAP_WAKE_ALARM))
        {
            return Errno.EPERM;
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

        bool isAbsolute = (arguments.Int(1) & Absolute) != 0;
        long left = isAbsolute ? Math.Max(0, time.ToNanoseconds() - now) : time.ToNanoseconds();
        if (clock is ProcessCpu or < 0)
        {
            return SleepByCpu(task, clock, left >= long.MaxValue - now ? long.MaxValue : now + left, isAbsolute ? default : arguments.Address(3));
        }

        if (!isAbsolute)
        {
            return Sleep(task, Guest.DeadlineAfter(task, left), arguments.Address(3));
        }

        // The clock may have been set meanwhile: it is asked again each time.
        while (left > 0)
        {
            errno = task.Block(Guest.DeadlineAfter(task, left));
            if (errno is not (Errno.None or Errno.ETIMEDOUT))
            {
                return Errno.ERESTARTNOHAND;
            }

            left = Read(task, clock).TryGet(out now, out _) ? time.ToNanoseconds() - now : 0;
        }

        return SyscallResult.Ok;
    }

    // Other tasks use the CPU meanwhile; how fast is not known, so it looks again and again.
    private static SyscallResult SleepByCpu(GuestTask task, int clock, long expiryNs, GuestAddress remainder)
    {
        const long LookAgainNs = 5_000_000;
        while (Read(task, clock).TryGet(out long now, out _) && now < expiryNs)
        {
            Errno errno = task.Block(Guest.DeadlineAfter(task, Math.Max(LookAgainNs, (expiryNs - now) / task.Kernel.Facts.ProcessorCount)));
            if (errno is Errno.None or Errno.ETIMEDOUT)
            {
                continue;
            }

            errno = remainder.IsNull ? Errno.None : task.Memory.Write(remainder, Timespec.FromNanoseconds(Math.Max(0, expiryNs - now)));
            return errno == Errno.None ? Errno.EINTR : errno;
        }

        return SyscallResult.Ok;
    }

    // The sandbox has no clock of its own to set: as Linux without CAP_SYS_TIME.
    private static SyscallResult ClockSettime(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Int(0) != Realtime)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(1), out Timespec time);
        return errno != Errno.None ? errno : time.IsValid ? Errno.EPERM : Errno.EINVAL;
    }

    private static SyscallResult Settimeofday(GuestTask task, in SyscallArguments arguments)
    {
        const long MicrosecondsPerSecond = 1_000_000;
        if (!arguments.Address(0).IsNull)
        {
            Errno errno = task.Memory.Read(arguments.Address(0), out Timespec time);
            if (errno != Errno.None || time.Seconds < 0 || time.Nanoseconds is < 0 or > MicrosecondsPerSecond)
            {
                return errno == Errno.None ? Errno.EINVAL : errno;
            }
        }

        return Errno.EPERM;
    }

    private static SyscallResult ClockAdjtime(GuestTask task, in SyscallArguments arguments) =>
        !Read(task, arguments.Int(0)).TryGet(out _, out Errno errno) ? errno : arguments.Int(0) != Realtime ? Errno.EOPNOTSUPP : Adjust(task, arguments.Address(1));

    // adjtimex(2) on a clock that is not ours to adjust: it may be asked, and tells that nobody disciplines it.
    private static SyscallResult Adjust(GuestTask task, GuestAddress address)
    {
        const int Unsynchronized = 0x40; // STA_UNSYNC
        const long MaxErrorMicroseconds = 16_000_000;
        const int ErrorState = 5; // TIME_ERROR
        Span<long> timex = stackalloc long[26];
        Errno errno = task.Memory.CopyIn(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(timex));
        if (errno != Errno.None)
        {
            return errno;
        }

        if ((uint)timex[0] != 0)
        {
            return Errno.EPERM;
        }

        Timespec now = Timespec.FromNanoseconds(task.Kernel.Clock.RealtimeNs);
        timex.Clear();
        (timex[3], timex[4], timex[5], timex[6]) = (MaxErrorMicroseconds, MaxErrorMicroseconds, Unsynchronized, 2);
        (timex[7], timex[8]) = (1, 32_768_000); // precision and tolerance, as NTP's code has them
        (timex[9], timex[10], timex[11]) = (now.Seconds, now.Nanoseconds / 1000, 10_000);
        errno = task.Memory.CopyOut(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(timex));
        return errno != Errno.None ? errno : ErrorState;
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

        task.RestartBlock = new RestartBlock(static (GuestTask sleeper, in RestartBlock block) => Sleep(sleeper, block.DeadlineNs, block.Address), remainder, deadlineNs);
        return Errno.ERESTART_RESTARTBLOCK;
    }

    private static SyscallResult RestartSyscall(GuestTask task, in SyscallArguments arguments)
    {
        if (task.RestartBlock is not { } block)
        {
            return Errno.EINTR;
        }

        task.RestartBlock = null;
        return block.Handler(task, block);
    }
}
