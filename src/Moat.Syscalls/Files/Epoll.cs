using System.Buffers;
using System.Buffers.Binary;
using Moat.Filesystems.EventFiles;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>epoll_create(2), epoll_ctl(2), epoll_wait(2), epoll_pwait(2), epoll_pwait2(2).</summary>
internal static class Epoll
{
    private const int EventSize = 12; // packed on x86-64
    private const int MaxEvents = int.MaxValue / EventSize;
    private const int FewEvents = 32;
    private const uint Exclusive = 1u << 28;
    private const uint AllowedWithExclusive = Exclusive | 0x1d | (1u << 29) | (1u << 31); // IN, OUT, ERR, HUP, WAKEUP, ET
    private const uint Always = 0x18; // ERR, HUP

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.epoll_create, static (GuestTask task, in SyscallArguments arguments) => arguments.Int(0) <= 0 ? Errno.EINVAL : Create(task, 0), Arg.Int);
        table.Add(SyscallNumber.epoll_create1, static (GuestTask task, in SyscallArguments arguments) => Create(task, arguments.Int(0)), Arg.Hex);
        table.Add(SyscallNumber.epoll_ctl, Ctl, Arg.Fd, Arg.Int, Arg.Fd, Arg.EpollEvent);
        table.Add(SyscallNumber.epoll_wait, Wait, Arg.Fd, Arg.EpollEventsOut, Arg.Int, Arg.Int);
        table.Add(SyscallNumber.epoll_pwait, Pwait, Arg.Fd, Arg.EpollEventsOut, Arg.Int, Arg.Int, Arg.SignalSet, Arg.Size);
        table.Add(SyscallNumber.epoll_pwait2, Pwait2, Arg.Fd, Arg.EpollEventsOut, Arg.Int, Arg.Timespec, Arg.SignalSet, Arg.Size);
    }

    private static SyscallResult Create(GuestTask task, int flags)
    {
        if ((flags & ~(int)OpenFlags.O_CLOEXEC) != 0)
        {
            return Errno.EINVAL;
        }

        EpollDescription file = new((AnonymousFilesystem)task.Kernel.AnonymousFiles);
        return task.Files.Install(file, flags != 0, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out Errno errno) ? fd : errno;
    }

    private static SyscallResult Ctl(GuestTask task, in SyscallArguments arguments)
    {
        const int AddOperation = 1;
        const int DeleteOperation = 2;
        const int ModifyOperation = 3;
        (int operation, int fd) = (arguments.Int(1), arguments.Int(2));
        uint events = 0;
        ulong data = 0;
        if (operation != DeleteOperation)
        {
            Span<byte> given = stackalloc byte[EventSize];
            Errno failure = task.Memory.CopyIn(arguments.Address(3), given);
            if (failure != Errno.None)
            {
                return failure;
            }

            (events, data) = (BinaryPrimitives.ReadUInt32LittleEndian(given), BinaryPrimitives.ReadUInt64LittleEndian(given[4..]));
        }

        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? epollFile, out Errno errno))
        {
            return errno;
        }

        if (!task.Files.Get(fd).TryGet(out FileDescription? target, out errno))
        {
            epollFile.Release();
            return errno;
        }

        try
        {
            if (!target.IsPollable)
            {
                return Errno.EPERM;
            }

            if (epollFile is not EpollDescription epoll || target == epollFile)
            {
                return Errno.EINVAL;
            }

            if ((events & Exclusive) != 0 && (operation == ModifyOperation || target is EpollDescription || (events & ~AllowedWithExclusive) != 0))
            {
                return Errno.EINVAL;
            }

            events |= Always;
            return operation switch
            {
                AddOperation => epoll.Add(task, fd, target, events, data),
                DeleteOperation => epoll.Delete(fd, target),
                ModifyOperation => epoll.Modify(fd, target, events, data),
                _ => Errno.EINVAL,
            };
        }
        finally
        {
            target.Release();
            epollFile.Release();
        }
    }

    private static SyscallResult Wait(GuestTask task, in SyscallArguments arguments) => Run(task, arguments, DeadlineOf(task, arguments.Int(3)));

    private static SyscallResult Pwait(GuestTask task, in SyscallArguments arguments)
    {
        Errno errno = SignalMask.Swap(task, arguments.Address(4), arguments.Size(5));
        return errno != Errno.None ? errno : SignalMask.RestoreUnlessInterrupted(task, Run(task, arguments, DeadlineOf(task, arguments.Int(3))));
    }

    private static SyscallResult Pwait2(GuestTask task, in SyscallArguments arguments)
    {
        if (!Guest.DeadlineOf(task, arguments.Address(3)).TryGet(out long deadlineNs, out Errno errno))
        {
            return errno;
        }

        errno = SignalMask.Swap(task, arguments.Address(4), arguments.Size(5));
        return errno != Errno.None ? errno : SignalMask.RestoreUnlessInterrupted(task, Run(task, arguments, deadlineNs));
    }

    private static long DeadlineOf(GuestTask task, int timeoutMs) => timeoutMs < 0 ? long.MaxValue : Guest.DeadlineAfter(task, timeoutMs * 1_000_000L);

    private static SyscallResult Run(GuestTask task, in SyscallArguments arguments, long deadlineNs)
    {
        int max = arguments.Int(2);
        if (max is <= 0 or > MaxEvents)
        {
            return Errno.EINVAL;
        }

        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            if (file is not EpollDescription epoll)
            {
                return Errno.EINVAL;
            }

            while (true)
            {
                SyscallResult found = Collect(task, epoll, arguments.Address(1), max);
                if (found.Raw != 0)
                {
                    return found;
                }

                errno = task.WaitFor(epoll, PollEvents.Readable, deadlineNs);
                if (errno == Errno.ETIMEDOUT)
                {
                    return 0;
                }

                if (errno != Errno.None)
                {
                    return Errno.EINTR; // never restarted (signal(7))
                }
            }
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult Collect(GuestTask task, EpollDescription epoll, GuestAddress address, int max)
    {
        int room = Math.Min(max, epoll.CandidateCount);
        if (room <= FewEvents)
        {
            Span<EpollEvent> few = stackalloc EpollEvent[FewEvents];
            few = few[..room];
            return WriteEvents(task, address, few[..epoll.Collect(few)]);
        }

        EpollEvent[] many = ArrayPool<EpollEvent>.Shared.Rent(room);
        SyscallResult result = WriteEvents(task, address, many.AsSpan(0, epoll.Collect(many.AsSpan(0, room))));
        ArrayPool<EpollEvent>.Shared.Return(many);
        return result;
    }

    private static SyscallResult WriteEvents(GuestTask task, GuestAddress address, ReadOnlySpan<EpollEvent> ready)
    {
        Span<byte> one = stackalloc byte[EventSize];
        for (int i = 0; i < ready.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(one, ready[i].Events);
            BinaryPrimitives.WriteUInt64LittleEndian(one[4..], ready[i].Data);
            Errno errno = task.Memory.CopyOut(address + (ulong)(i * EventSize), one);
            if (errno != Errno.None)
            {
                return i > 0 ? i : errno;
            }
        }

        return ready.Length;
    }
}
