using System.Buffers.Binary;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Ipc;

/// <summary>shmget(2), shmat(2), shmdt(2), shmctl(2).</summary>
internal static class SharedMemory
{
    private const ulong PageSize = 4096;
    private const uint ReadPermission = 0x124; // S_IRUGO
    private const uint WritePermission = 0x92; // S_IWUGO
    private const uint Destroyed = 0x200; // SHM_DEST

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.shmget, Get, Arg.Hex, Arg.Size, Arg.Octal);
        table.Add(SyscallNumber.shmat, Attach, Arg.Int, Arg.Pointer, Arg.Octal);
        table.Add(SyscallNumber.shmdt, Detach, Arg.Pointer);
        table.Add(SyscallNumber.shmctl, Control, Arg.Int, Arg.Int, Arg.Pointer);
    }

    private static SyscallResult Get(GuestTask task, in SyscallArguments arguments)
    {
        const int HugeTlb = 0x800;
        const ulong MaxSize = ulong.MaxValue - (1UL << 24); // SHMMAX
        (int key, ulong size, int flags) = (arguments.Int(0), arguments.Size(1), arguments.Int(2));
        IpcNamespace ipc = task.Ipc;
        lock (ipc.Segments.Lock)
        {
            return ipc.Segments.Get(
                task.Credentials,
                key,
                flags,
                found => size > found.Size ? Errno.EINVAL : Errno.None,
                () => size is 0 or > MaxSize ? Errno.EINVAL
                    : (flags & HugeTlb) != 0 ? Errno.ENOMEM // no huge pages are set aside
                    : ipc.MakeSegment(task, key, (uint)flags, size)).TryGet(out SharedMemorySegment? segment, out Errno errno) ? segment.Id : errno;
        }
    }

    private static SyscallResult Attach(GuestTask task, in SyscallArguments arguments)
    {
        const int ReadOnly = 0x1000;
        const int Round = 0x2000;
        const int Remap = 0x4000;
        const int Execute = 0x8000;
        ulong address = arguments[1];
        int flags = arguments.Int(2);
        if (arguments.Int(0) < 0)
        {
            return Errno.EINVAL;
        }

        if (address % PageSize != 0)
        {
            if ((flags & Round) == 0)
            {
                return Errno.EINVAL;
            }

            address -= address % PageSize;
        }

        if (address == 0 && (flags & Remap) != 0)
        {
            return Errno.EINVAL;
        }

        bool isReadOnly = (flags & ReadOnly) != 0;
        bool executes = (flags & Execute) != 0;
        SharedMemorySegment? segment;
        lock (task.Ipc.Segments.Lock)
        {
            if (!task.Ipc.Segments.Find(arguments.Int(0)).TryGet(out segment, out Errno unknown))
            {
                return unknown;
            }

            if (!segment.Allows(task.Credentials, (isReadOnly ? ReadPermission : ReadPermission | WritePermission) | (executes ? 0x49u : 0)))
            {
                return Errno.EACCES;
            }
        }

        ulong length = AddressLayout.RoundUp(segment.Size);
        if (address != 0 && (length > task.Kernel.Platform.MaxAddress.Value || address > task.Kernel.Platform.MaxAddress.Value - length))
        {
            return Errno.EINVAL;
        }

        MemoryAccess access = MemoryAccess.Read | (isReadOnly ? 0 : MemoryAccess.Write) | (executes ? MemoryAccess.Execute : 0);
        MapRequest request = new()
        {
            Address = address,
            Length = length,
            Access = access,
            MaxAccess = isReadOnly ? MemoryAccess.Read | MemoryAccess.Execute : MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute,
            IsShared = true,
            IsFixed = address != 0,
            NoReplace = (flags & Remap) == 0,
            File = segment,
            Name = $"/SYSV{segment.Key:x8} (deleted)",
            AddressSpaceLimit = task.ThreadGroup.Limits.Get(ResourceLimits.AddressSpace).Current,
        };
        if (!task.Memory.Map(request).TryGet(out GuestAddress place, out Errno errno))
        {
            return errno == Errno.EEXIST ? Errno.EINVAL : errno;
        }

        lock (task.Ipc.Segments.Lock)
        {
            segment.LastPid = task.ThreadGroup.Pid;
            segment.AttachTime = Now(task);
        }

        return place;
    }

    private static SyscallResult Detach(GuestTask task, in SyscallArguments arguments)
    {
        ulong start = arguments[0];
        if (start % PageSize != 0 || !task.Memory.TryGetSharedIdentity(new GuestAddress(start), out IMappable? file, out ulong offset) || file is not SharedMemorySegment segment || offset != 0)
        {
            return Errno.EINVAL;
        }

        // What has been unmapped or replaced in between stays as it is.
        ulong length = AddressLayout.RoundUp(segment.Size);
        for (ulong at = 0; at < length;)
        {
            ulong run = 0;
            while (at + run < length && task.Memory.TryGetSharedIdentity(new GuestAddress(start + at + run), out file, out offset) && file == segment && offset == at + run)
            {
                run += PageSize;
            }

            if (run > 0)
            {
                task.Memory.Unmap(start + at, run);
            }

            at += run + PageSize;
        }

        lock (task.Ipc.Segments.Lock)
        {
            segment.LastPid = task.ThreadGroup.Pid;
        }

        return SyscallResult.Ok;
    }

    private static SyscallResult Control(GuestTask task, in SyscallArguments arguments)
    {
        (int id, int command) = (arguments.Int(0), arguments.Int(1));
        if (id < 0 || command < 0)
        {
            return Errno.EINVAL;
        }

        return command switch
        {
            IpcCommand.Info => Limits(task, arguments.Address(2)),
            IpcCommand.ShmInfo => Usage(task, arguments.Address(2)),
            IpcCommand.Stat or IpcCommand.ShmStat or IpcCommand.ShmStatAny => Stat(task, id, command, arguments.Address(2)),
            IpcCommand.Set or IpcCommand.Remove => Change(task, id, command, arguments.Address(2)),
            IpcCommand.ShmLock or IpcCommand.ShmUnlock => Lock(task, id),
            _ => Errno.EINVAL,
        };
    }

    private static SyscallResult Limits(GuestTask task, GuestAddress address)
    {
        Span<ulong> info = stackalloc ulong[9];
        info.Clear();
        (info[0], info[1], info[2], info[3], info[4]) = (ulong.MaxValue - (1UL << 24), 1, IpcNamespace.MaxSegments, IpcNamespace.MaxSegments, ulong.MaxValue - (1UL << 24));
        return IpcReports.Tell(task, address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(info), HighestIndex(task));
    }

    private static SyscallResult Usage(GuestTask task, GuestAddress address)
    {
        Span<ulong> info = stackalloc ulong[6];
        info.Clear();
        lock (task.Ipc.Segments.Lock)
        {
            info[0] = (ulong)task.Ipc.Segments.Count;
            foreach (SharedMemorySegment segment in task.Ipc.Segments.All)
            {
                info[1] += AddressLayout.RoundUp(segment.Size) / PageSize;
                info[2] += (ulong)segment.ResidentBytes / PageSize;
            }
        }

        return IpcReports.Tell(task, address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(info), HighestIndex(task));
    }

    private static int HighestIndex(GuestTask task)
    {
        lock (task.Ipc.Segments.Lock)
        {
            return task.Ipc.Segments.HighestIndex;
        }
    }

    private static SyscallResult Stat(GuestTask task, int id, int command, GuestAddress address)
    {
        Span<byte> buffer = stackalloc byte[112]; // struct shmid64_ds
        buffer.Clear();
        int found;
        lock (task.Ipc.Segments.Lock)
        {
            bool byIndex = command != IpcCommand.Stat;
            if (!IpcReports.Find(task.Ipc.Segments, task.Credentials, id, byIndex, anybody: command == IpcCommand.ShmStatAny).TryGet(out SharedMemorySegment? segment, out Errno unknown))
            {
                return unknown;
            }

            segment.WritePermissions(buffer, segment.IsDoomed ? Destroyed : 0);
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[48..], segment.Size);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[56..], segment.AttachTime);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[64..], segment.DetachTime);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[72..], segment.ChangeTime);
            BinaryPrimitives.WriteInt32LittleEndian(buffer[80..], segment.CreatorPid);
            BinaryPrimitives.WriteInt32LittleEndian(buffer[84..], segment.LastPid);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[88..], segment.Attached);
            found = byIndex ? segment.Id : 0;
        }

        Errno errno = task.Memory.CopyOut(address, buffer);
        return errno != Errno.None ? errno : found;
    }

    private static SyscallResult Change(GuestTask task, int id, int command, GuestAddress address)
    {
        Span<byte> permissions = stackalloc byte[IpcObject.PermissionsSize];
        Errno errno = command == IpcCommand.Set ? task.Memory.CopyIn(address, permissions) : Errno.None;
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (task.Ipc.Segments.Lock)
        {
            if (!task.Ipc.Segments.Find(id).TryGet(out SharedMemorySegment? segment, out errno))
            {
                return errno;
            }

            if (!segment.IsOwnedBy(task.Credentials))
            {
                return Errno.EPERM;
            }

            if (command == IpcCommand.Set)
            {
                segment.SetPermissions(permissions, Now(task));
            }
            else
            {
                segment.Doom();
            }
        }

        return SyscallResult.Ok;
    }

    // Application memory is never swapped by this kernel: there is nothing more to lock.
    private static SyscallResult Lock(GuestTask task, int id)
    {
        lock (task.Ipc.Segments.Lock)
        {
            return !task.Ipc.Segments.Find(id).TryGet(out SharedMemorySegment? segment, out Errno errno) ? errno
                : segment.IsOwnedBy(task.Credentials) || task.Credentials.HasCapability(Kernel.Credentials.Capability.CAP_IPC_LOCK) ? Errno.None : Errno.EPERM;
        }
    }

    private static long Now(GuestTask task) => task.Kernel.Clock.RealtimeNs / Timespec.NanosecondsPerSecond;
}
