using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Syscalls.Time;

/// <summary>timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2).</summary>
internal static class PosixTimers
{
    private const int AbsoluteTime = 1;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.timer_create, TimerCreate, Arg.Clock, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.timer_settime, TimerSettime, Arg.Int, Arg.Hex, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.timer_gettime, TimerGettime, Arg.Int, Arg.Pointer);
        table.Add(SyscallNumber.timer_getoverrun, TimerGetoverrun, Arg.Int);
        table.Add(SyscallNumber.timer_delete, TimerDelete, Arg.Int);
    }

    private static SyscallResult TimerCreate(GuestTask task, in SyscallArguments arguments)
    {
        EventBuffer request = new() { Signal = (int)Signal.SIGALRM };
        bool isDefault = arguments.Address(1).IsNull;
        if (!isDefault)
        {
            Errno failure = task.Memory.Read(arguments.Address(1), out request);
            if (failure != Errno.None)
            {
                return failure;
            }
        }

        if (!FindClock(task, arguments.Int(0), out GuestClock clock, out CpuClock cpuClock).TryGet(out bool isAlarm, out Errno errno))
        {
            return errno;
        }

        PosixTimer timer;
        lock (task.Kernel.TaskLock)
        {
            if (!NotificationOf(task, request).TryGet(out TimerNotification notification, out errno))
            {
                return errno;
            }

            if (isAlarm && !task.Credentials.HasCapability(Capability.CAP_WAKE_ALARM))
            {
                return Errno.EPERM;
            }

            if (!task.ThreadGroup.Timers.Create(clock, cpuClock, isDefault ? notification with { Value = null } : notification).TryGet(out PosixTimer? made, out errno))
            {
                return errno;
            }

            timer = made;
        }

        errno = task.Memory.Write(arguments.Address(2), timer.Id);
        if (errno != Errno.None)
        {
            lock (task.Kernel.TaskLock)
            {
                task.ThreadGroup.Timers.Delete(timer);
            }
        }

        return errno;
    }

    private static SyscallResult TimerSettime(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Address(2).IsNull)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(2), out IntervalSpec wanted);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!wanted.IsValid)
        {
            return Errno.EINVAL;
        }

        IntervalSpec before;
        lock (task.Kernel.TaskLock)
        {
            if (task.ThreadGroup.Timers.Find(arguments.Int(0)) is not { } timer)
            {
                return Errno.EINVAL;
            }

            before = IntervalSpec.FromNanoseconds(timer.IntervalNs, timer.RemainingNs);
            timer.SetTime(wanted.Value.ToNanoseconds(), wanted.Interval.ToNanoseconds(), (arguments.Int(1) & AbsoluteTime) != 0);
        }

        return arguments.Address(3).IsNull ? Errno.None : task.Memory.Write(arguments.Address(3), before);
    }

    private static SyscallResult TimerGettime(GuestTask task, in SyscallArguments arguments)
    {
        IntervalSpec value;
        lock (task.Kernel.TaskLock)
        {
            if (task.ThreadGroup.Timers.Find(arguments.Int(0)) is not { } timer)
            {
                return Errno.EINVAL;
            }

            value = IntervalSpec.FromNanoseconds(timer.IntervalNs, timer.RemainingNs);
        }

        return task.Memory.Write(arguments.Address(1), value);
    }

    private static SyscallResult TimerGetoverrun(GuestTask task, in SyscallArguments arguments)
    {
        lock (task.Kernel.TaskLock)
        {
            return task.ThreadGroup.Timers.Find(arguments.Int(0)) is { } timer ? timer.Overrun : Errno.EINVAL;
        }
    }

    private static SyscallResult TimerDelete(GuestTask task, in SyscallArguments arguments)
    {
        lock (task.Kernel.TaskLock)
        {
            if (task.ThreadGroup.Timers.Find(arguments.Int(0)) is not { } timer)
            {
                return Errno.EINVAL;
            }

            task.ThreadGroup.Timers.Delete(timer);
            return SyscallResult.Ok;
        }
    }

    // Whether it is one of the *_ALARM clocks; EINVAL, EOPNOTSUPP for clocks without timers.
    private static Result<bool> FindClock(GuestTask task, int id, out GuestClock clock, out CpuClock cpuClock)
    {
        cpuClock = default;
        clock = GuestClock.Monotonic;
        if (id < 0)
        {
            if (!CpuClock.Find(task, id).TryGet(out cpuClock, out Errno errno) || cpuClock.Group != task.ThreadGroup)
            {
                return errno == Errno.None ? Errno.EINVAL : errno;
            }

            clock = cpuClock.Task is null ? GuestClock.ProcessCpu : GuestClock.ThreadCpu;
            return false;
        }

        switch (id)
        {
            case Clocks.Realtime or Clocks.Tai or Clocks.RealtimeAlarm:
                clock = GuestClock.Realtime;
                return id == Clocks.RealtimeAlarm;
            case Clocks.Monotonic:
                return false;
            case Clocks.Boottime or Clocks.BoottimeAlarm:
                clock = GuestClock.Boottime;
                return id == Clocks.BoottimeAlarm;
            case Clocks.ProcessCpu or Clocks.ThreadCpu:
                clock = id == Clocks.ProcessCpu ? GuestClock.ProcessCpu : GuestClock.ThreadCpu;
                cpuClock = new CpuClock(task.ThreadGroup, id == Clocks.ProcessCpu ? null : task, UserOnly: false);
                return false;
            case Clocks.MonotonicRaw or Clocks.RealtimeCoarse or Clocks.MonotonicCoarse:
                return Errno.EOPNOTSUPP;
            default:
                return Errno.EINVAL;
        }
    }

    private static Result<TimerNotification> NotificationOf(GuestTask task, in EventBuffer request)
    {
        const int NotifySignal = 0;
        const int NotifyNone = 1;
        const int NotifyThread = 2;
        const int NotifyThreadId = 4;
        switch (request.Notify)
        {
            case NotifyNone:
                return new TimerNotification(Signal.None, null, request.Value);
            case NotifyThreadId:
                GuestTask? target = task.Pids.FindTask(request.ThreadId);
                return target is null || target.ThreadGroup != task.ThreadGroup || request.Signal is < 1 or > 64
                    ? Errno.EINVAL
                    : new TimerNotification((Signal)request.Signal, target, request.Value);
            case NotifySignal or NotifyThread:
                return request.Signal is < 1 or > 64 ? Errno.EINVAL : new TimerNotification((Signal)request.Signal, null, request.Value);
            default:
                return Errno.EINVAL;
        }
    }

    /// <remarks><c>struct sigevent</c>: 64 bytes.</remarks>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct EventBuffer
    {
        public ulong Value;
        public int Signal;
        public int Notify;
        public int ThreadId;
    }
}
