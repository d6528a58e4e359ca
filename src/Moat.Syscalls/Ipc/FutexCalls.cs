using Moat.Kernel.Futex;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Ipc;

/// <summary>futex(2). The priority-inheritance operations are not there: ENOSYS, as in a kernel without CONFIG_FUTEX_PI.</summary>
internal static class FutexCalls
{
    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.futex, Futex, Arg.Pointer, Arg.FutexOp, Arg.UInt, Arg.Pointer, Arg.Pointer, Arg.Hex);

    private static SyscallResult Futex(GuestTask task, in SyscallArguments arguments)
    {
        const uint Private = 128;
        const uint RealtimeClock = 256;
        uint raw = arguments.UInt(1);
        uint operation = raw & ~(Private | RealtimeClock);
        bool isPrivate = (raw & Private) != 0;
        bool realtime = (raw & RealtimeClock) != 0;
        GuestAddress address = arguments.Address(0);
        uint value = arguments.UInt(2);
        if (realtime && operation is not (0 or 9 or 11 or 13))
        {
            return Errno.ENOSYS;
        }

        FutexTable futexes = task.Kernel.Futexes;
        switch (operation)
        {
            case 0 or 9: // FUTEX_WAIT, FUTEX_WAIT_BITSET
                uint bitset = operation == 9 ? arguments.UInt(5) : FutexTable.AnyBit;
                if (bitset == 0)
                {
                    return Errno.EINVAL;
                }

                if (!Deadline(task, arguments.Address(3), isAbsolute: operation == 9, realtime).TryGet(out long deadlineNs, out Errno errno))
                {
                    return errno;
                }

                errno = futexes.Wait(task, address, isPrivate, value, bitset, deadlineNs);
                if (errno != Errno.ERESTARTSYS || deadlineNs == long.MaxValue)
                {
                    return errno;
                }

                if (operation == 9)
                {
                    return Errno.ERESTARTSYS;
                }

                // A relative timeout goes on with what is left of it.
                task.RestartBlock = new RestartBlock(RestartWait, address, deadlineNs, value, isPrivate);
                return Errno.ERESTART_RESTARTBLOCK;
            case 1: // FUTEX_WAKE
                return futexes.Wake(task.Memory, address, isPrivate, Math.Max(1, (int)value), FutexTable.AnyBit);
            case 10: // FUTEX_WAKE_BITSET
                return arguments.UInt(5) == 0 ? Errno.EINVAL : futexes.Wake(task.Memory, address, isPrivate, Math.Max(1, (int)value), arguments.UInt(5));
            case 3 or 4: // FUTEX_REQUEUE, FUTEX_CMP_REQUEUE
                return futexes.Requeue(task, address, arguments.Address(4), isPrivate, (int)value, (int)arguments[3], operation == 4 ? arguments.UInt(5) : null);
            case 5: // FUTEX_WAKE_OP
                return futexes.WakeOp(task, address, arguments.Address(4), isPrivate, (int)value, (int)arguments[3], arguments.UInt(5));
            default:
                return Errno.ENOSYS;
        }
    }

    private static SyscallResult RestartWait(GuestTask task, in RestartBlock block)
    {
        Errno errno = task.Kernel.Futexes.Wait(task, block.Address, block.IsPrivate, block.Value, FutexTable.AnyBit, block.DeadlineNs);
        if (errno != Errno.ERESTARTSYS)
        {
            return errno;
        }

        task.RestartBlock = block;
        return Errno.ERESTART_RESTARTBLOCK;
    }

    private static Result<long> Deadline(GuestTask task, GuestAddress address, bool isAbsolute, bool realtime)
    {
        if (!isAbsolute || address.IsNull)
        {
            return Guest.DeadlineOf(task, address);
        }

        Errno errno = task.Memory.Read(address, out Timespec time);
        if (errno != Errno.None || !time.IsValid)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        long nanoseconds = time.ToNanoseconds();
        return realtime && nanoseconds != long.MaxValue ? nanoseconds - task.Kernel.Clock.RealtimeNs + task.Kernel.Clock.MonotonicNs : nanoseconds;
    }
}
