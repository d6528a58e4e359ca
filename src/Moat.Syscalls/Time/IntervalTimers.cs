using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Time;

/// <summary>getitimer(2), setitimer(2), alarm(2).</summary>
internal static class IntervalTimers
{
    private const int Real = 0;
    private const int Virtual = 1;
    private const int Prof = 2;
    private const long NanosecondsPerMicrosecond = 1000;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getitimer, Getitimer, Arg.Int, Arg.Pointer);
        table.Add(SyscallNumber.setitimer, Setitimer, Arg.Int, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.alarm, Alarm, Arg.UInt);
    }

    private static SyscallResult Getitimer(GuestTask task, in SyscallArguments arguments)
    {
        int which = arguments.Int(0);
        if (which is not (Real or Virtual or Prof))
        {
            return Errno.EINVAL;
        }

        TimerValue value;
        lock (task.Kernel.TaskLock)
        {
            value = Read(task.ThreadGroup.Timers, which);
        }

        return task.Memory.Write(arguments.Address(1), value);
    }

    private static SyscallResult Setitimer(GuestTask task, in SyscallArguments arguments)
    {
        int which = arguments.Int(0);
        TimerValue wanted = default;
        if (!arguments.Address(1).IsNull)
        {
            Errno errno = task.Memory.Read(arguments.Address(1), out wanted);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (!wanted.IsValid)
            {
                return Errno.EINVAL;
            }
        }

        if (which is not (Real or Virtual or Prof))
        {
            return Errno.EINVAL;
        }

        TimerValue before;
        lock (task.Kernel.TaskLock)
        {
            ProcessTimers timers = task.ThreadGroup.Timers;
            before = Read(timers, which);
            if (which == Real)
            {
                timers.Real.Set(wanted.ValueNs, wanted.IntervalNs, absolute: false);
            }
            else
            {
                (which == Virtual ? timers.Virtual : timers.Prof).Set(wanted.ValueNs, wanted.IntervalNs);
            }
        }

        return arguments.Address(2).IsNull ? Errno.None : task.Memory.Write(arguments.Address(2), before);
    }

    private static SyscallResult Alarm(GuestTask task, in SyscallArguments arguments)
    {
        const long HalfSecond = Timespec.NanosecondsPerSecond / 2;
        long left;
        lock (task.Kernel.TaskLock)
        {
            RealIntervalTimer timer = task.ThreadGroup.Timers.Real;
            left = timer.RemainingNs;
            timer.Set(arguments.UInt(0) * Timespec.NanosecondsPerSecond, 0, absolute: false);
        }

        long seconds = (left + HalfSecond) / Timespec.NanosecondsPerSecond;
        return left > 0 && seconds == 0 ? 1 : seconds;
    }

    private static TimerValue Read(ProcessTimers timers, int which)
    {
        if (which == Real)
        {
            return new TimerValue(timers.Real.IntervalNs, timers.Real.RemainingNs);
        }

        CpuIntervalTimer timer = which == Virtual ? timers.Virtual : timers.Prof;
        return new TimerValue(timer.IntervalNs, timer.RemainingNs == long.MaxValue ? 0 : timer.RemainingNs);
    }

    /// <remarks><c>struct itimerval</c>.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TimerValue(long intervalNs, long valueNs)
    {
        private readonly Timespec _interval = ToMicroseconds(intervalNs);
        private readonly Timespec _value = ToMicroseconds(valueNs);

        public bool IsValid => ToTimespec(_interval).IsValid && ToTimespec(_value).IsValid;

        public long IntervalNs => ToTimespec(_interval).ToNanoseconds();

        public long ValueNs => ToTimespec(_value).ToNanoseconds();

        // A time that is left is never shown as none.
        private static Timespec ToMicroseconds(long nanoseconds)
        {
            long microseconds = (nanoseconds / NanosecondsPerMicrosecond) + (nanoseconds is > 0 and < NanosecondsPerMicrosecond ? 1 : 0);
            return new Timespec(microseconds / 1_000_000, microseconds % 1_000_000);
        }

        private static Timespec ToTimespec(Timespec microseconds) =>
            microseconds.Nanoseconds is < 0 or >= 1_000_000 ? new Timespec(-1, 0) : microseconds with { Nanoseconds = microseconds.Nanoseconds * NanosecondsPerMicrosecond };
    }
}
