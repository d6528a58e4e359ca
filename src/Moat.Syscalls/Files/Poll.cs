using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>poll(2), ppoll(2), select(2), pselect6(2).</summary>
internal static class Poll
{
    private const int MaxSelect = 1024;
    private const int FewEntries = 64;
    private const PollEvents ReadMeaning = PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR;
    private const PollEvents WriteMeaning = PollEvents.Writable | PollEvents.POLLERR;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.poll, PollCall, Arg.PollFds, Arg.UInt, Arg.Int);
        table.Add(SyscallNumber.ppoll, Ppoll, Arg.PollFds, Arg.UInt, Arg.Timespec, Arg.SignalSet, Arg.Size);
        table.Add(SyscallNumber.select, Select, Arg.Int, Arg.Pointer, Arg.Pointer, Arg.Pointer, Arg.Timeval);
        table.Add(SyscallNumber.pselect6, Pselect, Arg.Int, Arg.Pointer, Arg.Pointer, Arg.Pointer, Arg.Timespec, Arg.Pointer);
    }

    private static SyscallResult PollCall(GuestTask task, in SyscallArguments arguments)
    {
        int timeoutMs = arguments.Int(2);
        long deadlineNs = timeoutMs < 0 ? long.MaxValue : Guest.DeadlineAfter(task, timeoutMs * 1_000_000L);
        return Run(task, arguments.Address(0), arguments.UInt(1), deadlineNs);
    }

    private static SyscallResult Ppoll(GuestTask task, in SyscallArguments arguments)
    {
        if (!Guest.DeadlineOf(task, arguments.Address(2)).TryGet(out long deadlineNs, out Errno errno))
        {
            return errno;
        }

        errno = SignalMask.Swap(task, arguments.Address(3), arguments.Size(4));
        if (errno != Errno.None)
        {
            return errno;
        }

        SyscallResult result = SignalMask.RestoreUnlessInterrupted(task, Run(task, arguments.Address(0), arguments.UInt(1), deadlineNs));
        WriteTimeLeft(task, arguments.Address(2), deadlineNs, result);
        return result;
    }

    // Linux tells what is left of the timeout: nothing after it has passed. A place that can't be written is passed over.
    private static void WriteTimeLeft(GuestTask task, GuestAddress address, long deadlineNs, SyscallResult result, bool inMicroseconds = false)
    {
        if (address.IsNull)
        {
            return;
        }

        Timespec left = Timespec.FromNanoseconds(result.Raw == 0 ? 0 : Math.Max(0, deadlineNs - task.Kernel.Clock.MonotonicNs));
        task.Memory.Write(address, inMicroseconds ? left with { Nanoseconds = left.Nanoseconds / 1000 } : left);
    }

    private static SyscallResult Run(GuestTask task, GuestAddress address, uint count, long deadlineNs)
    {
        if (count > task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current)
        {
            return Errno.EINVAL;
        }

        Span<PollEntry> entries = count <= FewEntries ? stackalloc PollEntry[(int)count] : new PollEntry[count];
        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(entries));
        if (errno != Errno.None)
        {
            return errno;
        }

        PollSet set = task.PollSet;
        try
        {
            foreach (PollEntry entry in entries)
            {
                set.Add(entry.Fd, (PollEvents)(ushort)entry.Events);
            }

            errno = set.Wait(deadlineNs, out int ready);
            if (errno is not (Errno.None or Errno.ETIMEDOUT))
            {
                return Errno.ERESTARTNOHAND;
            }

            for (int i = 0; i < entries.Length; i++)
            {
                errno = task.Memory.Write(address + (ulong)((i * 8) + 6), (short)set.ResultOf(i));
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            return ready;
        }
        finally
        {
            set.Clear();
        }
    }

    private static SyscallResult Select(GuestTask task, in SyscallArguments arguments)
    {
        long deadlineNs = long.MaxValue;
        if (!arguments.Address(4).IsNull)
        {
            Errno failure = task.Memory.Read(arguments.Address(4), out Timespec timeout);
            if (failure != Errno.None)
            {
                return failure;
            }

            if (timeout.Seconds < 0 || timeout.Nanoseconds < 0)
            {
                return Errno.EINVAL;
            }

            deadlineNs = Guest.DeadlineAfter(task, new Timespec(timeout.Seconds + (timeout.Nanoseconds / 1_000_000), timeout.Nanoseconds % 1_000_000 * 1000).ToNanoseconds());
        }

        SyscallResult result = RunSelect(task, arguments, deadlineNs);
        WriteTimeLeft(task, arguments.Address(4), deadlineNs, result, inMicroseconds: true);
        return result;
    }

    private static SyscallResult Pselect(GuestTask task, in SyscallArguments arguments)
    {
        if (!Guest.DeadlineOf(task, arguments.Address(4)).TryGet(out long deadlineNs, out Errno errno))
        {
            return errno;
        }

        if (!arguments.Address(5).IsNull)
        {
            Span<ulong> mask = stackalloc ulong[2];
            errno = task.Memory.CopyIn(arguments.Address(5), MemoryMarshal.AsBytes(mask));
            errno = errno == Errno.None ? SignalMask.Swap(task, new GuestAddress(mask[0]), mask[1]) : errno;
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        SyscallResult result = SignalMask.RestoreUnlessInterrupted(task, RunSelect(task, arguments, deadlineNs));
        WriteTimeLeft(task, arguments.Address(4), deadlineNs, result);
        return result;
    }

    private static SyscallResult RunSelect(GuestTask task, in SyscallArguments arguments, long deadlineNs)
    {
        int count = arguments.Int(0);
        if (count < 0)
        {
            return Errno.EINVAL;
        }

        count = Math.Min(count, MaxSelect);
        int bytes = ((count + 63) / 64) * 8;
        Span<byte> bits = stackalloc byte[6 * MaxSelect / 8]; // three sets that are asked for, three of what is ready
        for (int kind = 0; kind < 3; kind++)
        {
            if (!arguments.Address(kind + 1).IsNull)
            {
                Errno failure = task.Memory.CopyIn(arguments.Address(kind + 1), SetOf(bits, kind)[..bytes]);
                if (failure != Errno.None)
                {
                    return failure;
                }
            }
        }

        SyscallResult result = SelectIn(task, count, bits, deadlineNs);
        for (int kind = 0; kind < 3 && result.Raw >= 0; kind++)
        {
            if (!arguments.Address(kind + 1).IsNull && task.Memory.CopyOut(arguments.Address(kind + 1), SetOf(bits, 3 + kind)[..bytes]) is var failure and not Errno.None)
            {
                return failure;
            }
        }

        return result;
    }

    private static SyscallResult SelectIn(GuestTask task, int count, Span<byte> bits, long deadlineNs)
    {
        PollSet set = task.PollSet;
        try
        {
            for (int fd = 0; fd < count; fd++)
            {
                PollEvents wanted = WantedOf(bits, fd);
                if (wanted != 0 && !set.Add(fd, wanted))
                {
                    return Errno.EBADF;
                }
            }

            Errno errno = set.Wait(deadlineNs, out _);
            if (errno is not (Errno.None or Errno.ETIMEDOUT))
            {
                return Errno.ERESTARTNOHAND;
            }

            int total = 0;
            int index = 0;
            for (int fd = 0; fd < count; fd++)
            {
                if (WantedOf(bits, fd) == 0)
                {
                    continue;
                }

                PollEvents ready = set.ResultOf(index++);
                for (int kind = 0; kind < 3; kind++)
                {
                    if (IsSet(SetOf(bits, kind), fd) && (ready & MeaningOf(kind)) != 0)
                    {
                        SetOf(bits, 3 + kind)[fd / 8] |= (byte)(1 << (fd % 8));
                        total++;
                    }
                }
            }

            return total;
        }
        finally
        {
            set.Clear();
        }
    }

    private static Span<byte> SetOf(Span<byte> bits, int index) => bits.Slice(index * (MaxSelect / 8), MaxSelect / 8);

    private static PollEvents MeaningOf(int kind) => kind switch { 0 => ReadMeaning, 1 => WriteMeaning, _ => PollEvents.POLLPRI };

    private static PollEvents WantedOf(Span<byte> bits, int fd)
    {
        PollEvents wanted = 0;
        for (int kind = 0; kind < 3; kind++)
        {
            wanted |= IsSet(SetOf(bits, kind), fd) ? MeaningOf(kind) : 0;
        }

        return wanted;
    }

    private static bool IsSet(ReadOnlySpan<byte> set, int fd) => (set[fd / 8] & (1 << (fd % 8))) != 0;

    /// <remarks><c>struct pollfd</c>.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PollEntry
    {
        public readonly int Fd;
        public readonly short Events;
        private readonly short _returned;
    }
}
