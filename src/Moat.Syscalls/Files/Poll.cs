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

        PollEntry[] entries = new PollEntry[count];
        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(entries.AsSpan()));
        if (errno != Errno.None)
        {
            return errno;
        }

        using PollSet set = new(task, entries.Length);
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
        byte[][] sets = new byte[3][];
        for (int i = 0; i < 3; i++)
        {
            sets[i] = new byte[bytes];
            if (!arguments.Address(i + 1).IsNull)
            {
                Errno failure = task.Memory.CopyIn(arguments.Address(i + 1), sets[i]);
                if (failure != Errno.None)
                {
                    return failure;
                }
            }
        }

        using PollSet set = new(task, count);
        List<int> fds = [];
        for (int fd = 0; fd < count; fd++)
        {
            PollEvents wanted = (IsSet(sets[0], fd) ? PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR : 0) | (IsSet(sets[1], fd) ? PollEvents.Writable | PollEvents.POLLERR : 0)
                | (IsSet(sets[2], fd) ? PollEvents.POLLPRI : 0);
            if (wanted != 0)
            {
                fds.Add(fd);
                if (!set.Add(fd, wanted))
                {
                    return Errno.EBADF;
                }
            }
        }

        Errno errno = set.Wait(deadlineNs, out _);
        if (errno is not (Errno.None or Errno.ETIMEDOUT))
        {
            return Errno.ERESTARTNOHAND;
        }

        int total = 0;
        byte[][] results = [new byte[bytes], new byte[bytes], new byte[bytes]];
        PollEvents[] meaning = [PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR, PollEvents.Writable | PollEvents.POLLERR, PollEvents.POLLPRI];
        for (int i = 0; i < fds.Count; i++)
        {
            for (int kind = 0; kind < 3; kind++)
            {
                if (IsSet(sets[kind], fds[i]) && (set.ResultOf(i) & meaning[kind]) != 0)
                {
                    results[kind][fds[i] / 8] |= (byte)(1 << (fds[i] % 8));
                    total++;
                }
            }
        }

        for (int i = 0; i < 3; i++)
        {
            if (!arguments.Address(i + 1).IsNull && (errno = task.Memory.CopyOut(arguments.Address(i + 1), results[i])) != Errno.None)
            {
                return errno;
            }
        }

        return total;
    }

    private static bool IsSet(byte[] set, int fd) => (set[fd / 8] & (1 << (fd % 8))) != 0;

    /// <remarks><c>struct pollfd</c>.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PollEntry
    {
        public readonly int Fd;
        public readonly short Events;
        private readonly short _returned;
    }
}
