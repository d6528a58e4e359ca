using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Ipc;

/// <summary>semget(2), semop(2), semtimedop(2), semctl(2).</summary>
internal static class Semaphores
{
    private const int MaxPerSet = 32000; // SEMMSL
    private const int MaxOperations = 500; // SEMOPM
    private const uint ReadPermission = 0x124;
    private const uint AlterPermission = 0x92;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.semget, Get, Arg.Hex, Arg.Int, Arg.Octal);
        table.Add(SyscallNumber.semop, static (GuestTask task, in SyscallArguments arguments) => Operate(task, arguments, long.MaxValue), Arg.Int, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.semtimedop, TimedOperate, Arg.Int, Arg.Pointer, Arg.Size, Arg.Timespec);
        table.Add(SyscallNumber.semctl, Control, Arg.Int, Arg.Int, Arg.Int, Arg.Hex);
    }

    private static SyscallResult Get(GuestTask task, in SyscallArguments arguments)
    {
        (int key, int count, int flags) = (arguments.Int(0), arguments.Int(1), arguments.Int(2));
        if (count is < 0 or > MaxPerSet)
        {
            return Errno.EINVAL;
        }

        IpcObjects<SemaphoreSet> sets = task.Ipc.Semaphores;
        lock (sets.Lock)
        {
            return sets.Get(
                task.Credentials,
                key,
                flags,
                found => count > found.Count ? Errno.EINVAL : Errno.None,
                () => count == 0 ? Errno.EINVAL : !task.Ipc.SemaphoreBudget.TryTake(count) ? Errno.ENOSPC : new SemaphoreSet(task.Ipc, key, task.Credentials, (uint)flags, Now(task), count)).TryGet(out SemaphoreSet? set, out Errno errno) ? set.Id : errno;
        }
    }

    private static SyscallResult TimedOperate(GuestTask task, in SyscallArguments arguments) =>
        Guest.DeadlineOf(task, arguments.Address(3)).TryGet(out long deadlineNs, out Errno errno) ? Operate(task, arguments, deadlineNs) : errno;

    private static SyscallResult Operate(GuestTask task, in SyscallArguments arguments, long deadlineNs)
    {
        ulong count = arguments.Size(2);
        if (count == 0 || arguments.Int(0) < 0)
        {
            return Errno.EINVAL;
        }

        if (count > MaxOperations)
        {
            return Errno.E2BIG;
        }

        SemaphoreOperation[] operations = new SemaphoreOperation[count];
        Errno errno = task.Memory.CopyIn(arguments.Address(1), MemoryMarshal.AsBytes(operations.AsSpan()));
        if (errno != Errno.None)
        {
            return errno;
        }

        bool alters = false;
        int highest = 0;
        foreach (SemaphoreOperation operation in operations)
        {
            alters |= operation.Change != 0;
            highest = Math.Max(highest, operation.Number);
        }

        IpcObjects<SemaphoreSet> sets = task.Ipc.Semaphores;
        SemaphoreSet? set;
        lock (sets.Lock)
        {
            if (!sets.Find(arguments.Int(0)).TryGet(out set, out errno))
            {
                return errno;
            }

            if (highest >= set.Count)
            {
                return Errno.EFBIG;
            }

            if (!set.Allows(task.Credentials, alters ? AlterPermission : ReadPermission))
            {
                return Errno.EACCES;
            }
        }

        return Wait(task, set, operations, deadlineNs);
    }

    private static SyscallResult Wait(GuestTask task, SemaphoreSet set, SemaphoreOperation[] operations, long deadlineNs)
    {
        object tableLock = task.Ipc.Semaphores.Lock;
        TaskWaitEntry entry = new(task) { Mask = PollEvents.POLLIN };
        set.Changes.Add(entry);
        try
        {
            while (true)
            {
                SemaphoreOperation blocking;
                lock (tableLock)
                {
                    if (set.IsRemoved)
                    {
                        return Errno.EIDRM;
                    }

                    Errno tried = set.TryOperate(task.ThreadGroup, operations, out blocking);
                    if (tried != Errno.EAGAIN || (blocking.Flags & IpcTable.NoWait) != 0)
                    {
                        set.OperationTime = tried == Errno.None ? Now(task) : set.OperationTime;
                        return tried;
                    }

                    set.CountWaiter(blocking, 1);
                }

                Errno errno = task.Block(deadlineNs);
                lock (tableLock)
                {
                    set.CountWaiter(blocking, -1);
                    if (errno != Errno.None && set.IsRemoved)
                    {
                        return Errno.EIDRM;
                    }
                }

                if (errno != Errno.None)
                {
                    return errno == Errno.ETIMEDOUT ? Errno.EAGAIN : Errno.EINTR; // never restarted (signal(7))
                }
            }
        }
        finally
        {
            set.Changes.Remove(entry);
        }
    }

    private static SyscallResult Control(GuestTask task, in SyscallArguments arguments)
    {
        (int id, int number, int command) = (arguments.Int(0), arguments.Int(1), arguments.Int(2) & ~IpcCommand.Version64);
        if (id < 0)
        {
            return Errno.EINVAL;
        }

        switch (command)
        {
            case IpcCommand.Info or IpcCommand.SemInfo:
                return IpcReports.Semaphores(task, arguments.Address(3), usage: command == IpcCommand.SemInfo);
            case IpcCommand.Stat or IpcCommand.SemStat or IpcCommand.SemStatAny:
                return Stat(task, id, command, arguments.Address(3));
            case IpcCommand.SemGetAll or IpcCommand.SemSetAll:
                return All(task, id, command, arguments.Address(3));
            case IpcCommand.SemGetPid or IpcCommand.SemGetValue or IpcCommand.SemWaitersForMore or IpcCommand.SemWaitersForZero or IpcCommand.SemSetValue:
                return One(task, id, number, command, arguments.Int(3));
            case IpcCommand.Set or IpcCommand.Remove:
                return Change(task, id, command, arguments.Address(3));
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult Stat(GuestTask task, int id, int command, GuestAddress address)
    {
        Span<byte> buffer = stackalloc byte[104]; // struct semid64_ds
        buffer.Clear();
        int told;
        lock (task.Ipc.Semaphores.Lock)
        {
            bool byIndex = command != IpcCommand.Stat;
            if (!IpcReports.Find(task.Ipc.Semaphores, task.Credentials, id, byIndex, anybody: command == IpcCommand.SemStatAny).TryGet(out SemaphoreSet? set, out Errno unknown))
            {
                return unknown;
            }

            told = byIndex ? set.Id : 0;
            set.WritePermissions(buffer);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[48..], set.OperationTime);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[64..], set.ChangeTime);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[80..], set.Count);
        }

        Errno errno = task.Memory.CopyOut(address, buffer);
        return errno != Errno.None ? errno : told;
    }

    private static SyscallResult One(GuestTask task, int id, int number, int command, int value)
    {
        lock (task.Ipc.Semaphores.Lock)
        {
            bool sets = command == IpcCommand.SemSetValue;
            if (sets && value is < 0 or > SemaphoreSet.MaxValue)
            {
                return Errno.ERANGE;
            }

            if (!Find(task, id, sets ? AlterPermission : ReadPermission).TryGet(out SemaphoreSet? set, out Errno errno))
            {
                return errno;
            }

            if (number < 0 || number >= set.Count)
            {
                return Errno.EINVAL;
            }

            switch (command)
            {
                case IpcCommand.SemGetPid:
                    return set.LastPidOf(number);
                case IpcCommand.SemGetValue:
                    return set.ValueOf(number);
                case IpcCommand.SemWaitersForMore:
                    return set.WaitersForMore(number);
                case IpcCommand.SemWaitersForZero:
                    return set.WaitersForZero(number);
                default:
                    set.SetValue(number, value, task.ThreadGroup.Pid);
                    set.ChangeTime = Now(task);
                    return SyscallResult.Ok;
            }
        }
    }

    private static SyscallResult All(GuestTask task, int id, int command, GuestAddress address)
    {
        bool sets = command == IpcCommand.SemSetAll;
        ushort[] values;
        lock (task.Ipc.Semaphores.Lock)
        {
            if (!Find(task, id, sets ? AlterPermission : ReadPermission).TryGet(out SemaphoreSet? set, out Errno unknown))
            {
                return unknown;
            }

            values = new ushort[set.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (ushort)set.ValueOf(i);
            }
        }

        if (!sets)
        {
            return task.Memory.CopyOut(address, MemoryMarshal.AsBytes(values.AsSpan()));
        }

        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(values.AsSpan()));
        if (errno != Errno.None || Array.Exists(values, static value => value > SemaphoreSet.MaxValue))
        {
            return errno == Errno.None ? Errno.ERANGE : errno;
        }

        lock (task.Ipc.Semaphores.Lock)
        {
            if (!Find(task, id, AlterPermission).TryGet(out SemaphoreSet? set, out _))
            {
                return Errno.EIDRM;
            }

            for (int i = 0; i < values.Length; i++)
            {
                set.SetValue(i, values[i], task.ThreadGroup.Pid);
            }

            set.ChangeTime = Now(task);
        }

        return SyscallResult.Ok;
    }

    private static SyscallResult Change(GuestTask task, int id, int command, GuestAddress address)
    {
        Span<byte> permissions = stackalloc byte[IpcObject.PermissionsSize];
        Errno errno = command == IpcCommand.Set ? task.Memory.CopyIn(address, permissions) : Errno.None;
        if (errno != Errno.None)
        {
            return errno;
        }

        IpcObjects<SemaphoreSet> sets = task.Ipc.Semaphores;
        lock (sets.Lock)
        {
            if (!sets.Find(id).TryGet(out SemaphoreSet? set, out errno))
            {
                return errno;
            }

            if (!set.IsOwnedBy(task.Credentials))
            {
                return Errno.EPERM;
            }

            if (command == IpcCommand.Set)
            {
                set.SetPermissions(permissions, Now(task));
            }
            else
            {
                sets.Remove(set);
                set.OnRemoved();
            }
        }

        return SyscallResult.Ok;
    }

    private static Result<SemaphoreSet> Find(GuestTask task, int id, uint permission) =>
        !task.Ipc.Semaphores.Find(id).TryGet(out SemaphoreSet? set, out Errno errno) ? errno : set.Allows(task.Credentials, permission) ? set : Errno.EACCES;

    private static long Now(GuestTask task) => task.Kernel.Clock.RealtimeNs / Timespec.NanosecondsPerSecond;
}
