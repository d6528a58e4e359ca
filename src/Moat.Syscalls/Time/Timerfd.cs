using Moat.Filesystems.EventFiles;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Time;

/// <summary>timerfd_create(2), timerfd_settime(2), timerfd_gettime(2).</summary>
internal static class Timerfd
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.timerfd_create, Create, Arg.Clock, Arg.Hex);
        table.Add(SyscallNumber.timerfd_settime, Settime, Arg.Fd, Arg.Hex, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.timerfd_gettime, Gettime, Arg.Fd, Arg.Pointer);
    }

    private static SyscallResult Create(GuestTask task, in SyscallArguments arguments)
    {
        int flags = arguments.Int(1);
        int id = arguments.Int(0);
        GuestClock? clock = id switch
        {
            Clocks.Realtime or Clocks.RealtimeAlarm => GuestClock.Realtime,
            Clocks.Monotonic => GuestClock.Monotonic,
            Clocks.Boottime or Clocks.BoottimeAlarm => GuestClock.Boottime,
            _ => null,
        };
        if ((flags & ~(int)(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0 || clock is not { } known)
        {
            return Errno.EINVAL;
        }

        if (id is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm && !task.Credentials.HasCapability(Capability.CAP_WAKE_ALARM))
        {
            return Errno.EPERM;
        }

        return Guest.InstallNew(task, new TimerfdDescription((AnonymousFilesystem)task.Kernel.AnonymousFiles, task.Kernel, known, (OpenFlags)flags & OpenFlags.O_NONBLOCK), flags);
    }

    private static SyscallResult Settime(GuestTask task, in SyscallArguments arguments)
    {
        const int AbsoluteTime = 1;
        const int CancelOnSet = 2;
        int flags = arguments.Int(1);
        Errno errno = task.Memory.Read(arguments.Address(2), out IntervalSpec wanted);
        if (errno != Errno.None)
        {
            return errno;
        }

        if ((flags & ~(AbsoluteTime | CancelOnSet)) != 0 || !wanted.IsValid)
        {
            return Errno.EINVAL;
        }

        if (!Find(task, arguments.Int(0)).TryGet(out TimerfdDescription? file, out errno))
        {
            return errno;
        }

        IntervalSpec before = file.SetTime(wanted, (flags & AbsoluteTime) != 0, (flags & CancelOnSet) != 0);
        file.Release();
        return arguments.Address(3).IsNull ? Errno.None : task.Memory.Write(arguments.Address(3), before);
    }

    private static SyscallResult Gettime(GuestTask task, in SyscallArguments arguments)
    {
        if (!Find(task, arguments.Int(0)).TryGet(out TimerfdDescription? file, out Errno errno))
        {
            return errno;
        }

        IntervalSpec value = file.GetTime();
        file.Release();
        return task.Memory.Write(arguments.Address(1), value);
    }

    private static Result<TimerfdDescription> Find(GuestTask task, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        if (file is TimerfdDescription timer)
        {
            return timer;
        }

        file.Release();
        return Errno.EINVAL;
    }
}
