using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Memory;

/// <summary>mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), msync(2), mincore(2), mlock(2).</summary>
internal static class Mmap
{
    private const ulong PageMask = 4095;
    private const ulong Shared = 1;
    private const ulong Private = 2;
    private const ulong SharedValidate = 3;
    private const ulong Fixed = 0x10;
    private const ulong Anonymous = 0x20;
    private const ulong Bits32 = 0x40;
    private const ulong GrowsDown = 0x100;
    private const ulong DenyWrite = 0x800;
    private const ulong Populate = 0x8000;
    private const ulong HugeTlb = 0x40000;
    private const ulong FixedNoReplace = 0x100000;
    private const ulong Locked = 0x2000;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.mmap, MmapCall, Arg.Pointer, Arg.Size, Arg.MemoryProtection, Arg.MapFlags, Arg.Fd, Arg.Hex);
        table.Add(SyscallNumber.munmap, Munmap, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.mprotect, Mprotect, Arg.Pointer, Arg.Size, Arg.MemoryProtection);
        table.Add(SyscallNumber.mremap, Mremap, Arg.Pointer, Arg.Size, Arg.Size, Arg.Hex, Arg.Pointer);
        table.Add(SyscallNumber.madvise, Madvise, Arg.Pointer, Arg.Size, Arg.Int);
        table.Add(SyscallNumber.brk, Brk, Arg.Pointer);
        table.Add(SyscallNumber.msync, Msync, Arg.Pointer, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.mlock, Mlock, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.munlock, Munlock, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.mlock2, Mlock2, Arg.Pointer, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.mlockall, MlockAll, Arg.Hex);
        table.Add(SyscallNumber.munlockall, MunlockAll);
        table.Add(SyscallNumber.mincore, Mincore, Arg.Pointer, Arg.Size, Arg.Pointer);
    }

    private static SyscallResult MmapCall(GuestTask task, in SyscallArguments arguments)
    {
        (ulong address, ulong length, ulong protection, ulong flags, ulong offset) = (arguments[0], arguments[1], arguments[2], arguments[3], arguments[5]);
        if ((offset & PageMask) != 0 || length == 0)
        {
            return Errno.EINVAL;
        }

        ulong rounded = AddressLayout.RoundUp(length);
        ulong top = task.Kernel.Platform.MaxAddress.Value;
        bool isFixed = (flags & (Fixed | FixedNoReplace)) != 0;
        if (rounded < length || rounded > top)
        {
            return Errno.ENOMEM;
        }

        if (isFixed && ((address & PageMask) != 0 || address > top - rounded))
        {
            return (address & PageMask) != 0 ? Errno.EINVAL : Errno.ENOMEM;
        }

        if (isFixed && address < 0x10000 && !task.Credentials.HasCapability(Kernel.Credentials.Capability.CAP_SYS_RAWIO))
        {
            return Errno.EPERM;
        }

        bool isShared = (flags & 3) is Shared or SharedValidate;
        if (!isShared && (flags & 3) != Private)
        {
            return Errno.EINVAL;
        }

        if ((flags & HugeTlb) != 0)
        {
            return Errno.ENOMEM; // no huge pages are set aside
        }

        MemoryAccess access = (MemoryAccess)(protection & 7);
        MapRequest request = new()
        {
            Address = isFixed ? address : AddressLayout.RoundDown(address),
            Length = rounded,
            Access = access,
            IsShared = isShared,
            IsFixed = isFixed,
            NoReplace = (flags & FixedNoReplace) != 0,
            Below4GiB = (flags & Bits32) != 0,
            GrowsDown = (flags & GrowsDown) != 0,
            Populate = (flags & (Populate | Locked)) != 0,
            IsProgramPart = (flags & DenyWrite) != 0,
            AddressSpaceLimit = task.ThreadGroup.Limits.Get(ResourceLimits.AddressSpace).Current,
        };
        if ((flags & Anonymous) != 0)
        {
            return MapAnonymous(task, request);
        }

        if (!task.Files.Get(arguments.Int(4)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        try
        {
            if (file.IsPath)
            {
                return Errno.EBADF;
            }

            if (offset + rounded < offset)
            {
                return Errno.EOVERFLOW;
            }

            if (!file.CanRead || (isShared && (access & MemoryAccess.Write) != 0 && !file.CanWrite))
            {
                return Errno.EACCES;
            }

            bool noExec = file.Location is { } place && (place.Mount.Flags & MountFlags.NoExec) != 0;
            if (noExec && (access & MemoryAccess.Execute) != 0)
            {
                return Errno.EPERM;
            }

            if (file.MapsAnonymousMemory)
            {
                return MapAnonymous(task, request);
            }

            if (file.Mappable is not { } mappable)
            {
                return Errno.ENODEV;
            }

            MemoryAccess most = MemoryAccess.Read | (noExec ? 0 : MemoryAccess.Execute) | (!isShared || file.CanWrite ? MemoryAccess.Write : 0);
            if (!isShared)
            {
                request = request with { File = mappable, FileOffset = offset, Description = file, MaxAccess = most };
                return task.Memory.Map(request).TryGet(out GuestAddress own, out errno) ? own : errno;
            }

            MemoryAccess shareable = mappable.BeginShare();
            bool isSealed = (shareable & MemoryAccess.Write) == 0;
            request = request with { File = mappable, FileOffset = offset, Description = file, MaxAccess = most & shareable };
            GuestAddress mapped = default;
            errno = isSealed && (access & MemoryAccess.Write) != 0 ? Errno.EPERM : task.Memory.Map(request).TryGet(out mapped, out Errno refused) ? Errno.None : refused;
            if (!isSealed)
            {
                mappable.EndShare();
            }

            return errno != Errno.None ? errno : mapped;
        }
        finally
        {
            file.Release();
        }
    }

    private static SyscallResult MapAnonymous(GuestTask task, MapRequest request)
    {
        if (request.IsShared)
        {
            MemoryPages pages = new(task.Kernel.MemoryFile, livesByMappings: true);
            pages.SetSize((long)request.Length);
            request = request with { File = pages, Name = "/dev/zero (deleted)" };
        }

        return task.Memory.Map(request).TryGet(out GuestAddress mapped, out Errno errno) ? mapped : errno;
    }

    private static SyscallResult Munmap(GuestTask task, in SyscallArguments arguments) =>
        CheckRange(task, arguments[0], arguments[1], out ulong length) is var errno and not Errno.None ? errno : length == 0 ? Errno.EINVAL : task.Memory.Unmap(arguments[0], length);

    private static SyscallResult Mprotect(GuestTask task, in SyscallArguments arguments)
    {
        const ulong Known = 7 | 0x01000000 | 0x02000000;
        if ((arguments[2] & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = CheckRange(task, arguments[0], arguments[1], out ulong length);
        if (errno != Errno.None)
        {
            return errno == Errno.EINVAL && (arguments[0] & PageMask) == 0 ? Errno.ENOMEM : errno;
        }

        return length == 0 ? SyscallResult.Ok : task.Memory.Protect(arguments[0], length, (MemoryAccess)(arguments[2] & 7));
    }

    private static SyscallResult Mremap(GuestTask task, in SyscallArguments arguments)
    {
        const ulong MayMove = 1;
        const ulong FixedTarget = 2;
        const ulong DontUnmap = 4;
        ulong flags = arguments[3];
        ulong oldLength = AddressLayout.RoundUp(arguments[1]);
        ulong newLength = AddressLayout.RoundUp(arguments[2]);
        ulong top = task.Kernel.Platform.MaxAddress.Value;
        if ((flags & ~(MayMove | FixedTarget | DontUnmap)) != 0 || (arguments[0] & PageMask) != 0 || newLength == 0
            || ((flags & (FixedTarget | DontUnmap)) != 0 && (flags & MayMove) == 0) || ((flags & DontUnmap) != 0 && oldLength != newLength))
        {
            return Errno.EINVAL;
        }

        if (newLength > top || oldLength > top || arguments[0] > top - oldLength)
        {
            return newLength > top ? Errno.EINVAL : Errno.EFAULT;
        }

        ulong? target = null;
        if ((flags & FixedTarget) != 0)
        {
            target = arguments[4];
            if ((arguments[4] & PageMask) != 0 || arguments[4] > top - newLength || (arguments[4] < arguments[0] + oldLength && arguments[0] < arguments[4] + newLength))
            {
                return Errno.EINVAL;
            }
        }

        return task.Memory.Remap(arguments[0], oldLength, newLength, (flags & MayMove) != 0, target, (flags & DontUnmap) != 0).TryGet(out GuestAddress moved, out Errno errno) ? moved : errno;
    }

    private static SyscallResult Madvise(GuestTask task, in SyscallArguments arguments)
    {
        const int DontNeed = 4;
        const int Free = 8;
        const int DontFork = 10;
        const int DoFork = 11;
        const int WipeOnFork = 18;
        const int KeepOnFork = 19;
        ulong length = AddressLayout.RoundUp(arguments[1]);
        if ((arguments[0] & PageMask) != 0 || (length == 0 && arguments[1] != 0) || arguments[0] + length < arguments[0])
        {
            return Errno.EINVAL;
        }

        int advice = arguments.Int(2);
        if (advice is not (>= 0 and <= 4 or 8 or 10 or 11 or (>= 12 and <= 25)))
        {
            return Errno.EINVAL;
        }

        if (length == 0)
        {
            return SyscallResult.Ok;
        }

        return advice switch
        {
            DontNeed or Free => task.Memory.DiscardPages(arguments[0], length),
            DontFork => task.Memory.SetProperty(arguments[0], length, static mapping => mapping.DontFork = true),
            DoFork => task.Memory.SetProperty(arguments[0], length, static mapping => mapping.DontFork = false),
            WipeOnFork => task.Memory.SetProperty(arguments[0], length, static mapping => mapping.WipeOnFork = true),
            KeepOnFork => task.Memory.SetProperty(arguments[0], length, static mapping => mapping.WipeOnFork = false),
            _ => task.Memory.SetProperty(arguments[0], length, static _ => { }),
        };
    }

    private static SyscallResult Brk(GuestTask task, in SyscallArguments arguments) =>
        new((long)task.Memory.SetBreak(arguments[0], task.ThreadGroup.Limits.Get(ResourceLimits.Data).Current));

    private static SyscallResult Msync(GuestTask task, in SyscallArguments arguments)
    {
        const ulong Known = 7;
        const ulong SyncAndAsync = 5;
        ulong flags = arguments[2];
        if ((flags & ~Known) != 0 || (flags & SyncAndAsync) == SyncAndAsync || (arguments[0] & PageMask) != 0)
        {
            return Errno.EINVAL;
        }

        ulong length = AddressLayout.RoundUp(arguments[1]);
        return arguments[0] + length < arguments[0] ? Errno.ENOMEM : length == 0 ? SyscallResult.Ok : task.Memory.SetProperty(arguments[0], length, static _ => { });
    }

    private static SyscallResult Mlock(GuestTask task, in SyscallArguments arguments) => Lock(task, arguments, locked: true);

    private static SyscallResult Munlock(GuestTask task, in SyscallArguments arguments) => Lock(task, arguments, locked: false);

    private static SyscallResult Mlock2(GuestTask task, in SyscallArguments arguments)
    {
        const int OnFault = 1;
        return (arguments.Int(2) & ~OnFault) != 0 ? Errno.EINVAL : Lock(task, arguments, locked: true);
    }

    // Nothing is ever paged out: a lock only keeps MADV_DONTNEED from a mapping, so there is nothing to do for mappings to come (MCL_FUTURE).
    private static SyscallResult MlockAll(GuestTask task, in SyscallArguments arguments)
    {
        const int Current = 1;
        const int Known = 7;
        const int OnFault = 4;
        int flags = arguments.Int(0);
        if (flags == 0 || (flags & ~Known) != 0 || flags == OnFault)
        {
            return Errno.EINVAL;
        }

        if (!task.Credentials.HasCapability(Kernel.Credentials.Capability.CAP_IPC_LOCK) && task.ThreadGroup.Limits.Get(ResourceLimits.LockedMemory).Current == 0)
        {
            return Errno.EPERM;
        }

        return (flags & Current) != 0 ? LockAll(task, locked: true) : SyscallResult.Ok;
    }

    private static SyscallResult MunlockAll(GuestTask task, in SyscallArguments arguments) => LockAll(task, locked: false);

    private static SyscallResult LockAll(GuestTask task, bool locked)
    {
        Errno errno = task.Memory.SetProperty(0, task.Kernel.Platform.MaxAddress.Value, mapping => mapping.IsLocked = locked);
        return errno == Errno.ENOMEM ? Errno.None : errno; // there are holes of course
    }

    private static SyscallResult Mincore(GuestTask task, in SyscallArguments arguments)
    {
        const ulong PagesAtOnce = 4096;
        if ((arguments[0] & PageMask) != 0)
        {
            return Errno.EINVAL;
        }

        if (CheckRange(task, arguments[0], arguments[1], out ulong length) != Errno.None || length < arguments[1])
        {
            return Errno.ENOMEM;
        }

        ulong pages = length / (PageMask + 1);
        for (ulong done = 0; done < pages;)
        {
            byte[] part = new byte[Math.Min(pages - done, PagesAtOnce)];
            Errno errno = task.Memory.GetResidency(arguments[0] + (done * (PageMask + 1)), part);
            errno = errno == Errno.None ? task.Memory.CopyOut(arguments.Address(2) + done, part) : errno;
            if (errno != Errno.None)
            {
                return errno;
            }

            done += (ulong)part.Length;
        }

        return SyscallResult.Ok;
    }

    private static SyscallResult Lock(GuestTask task, in SyscallArguments arguments, bool locked)
    {
        ulong start = AddressLayout.RoundDown(arguments[0]);
        ulong length = AddressLayout.RoundUp(arguments[1] + (arguments[0] - start));
        if (start + length < start)
        {
            return Errno.EINVAL;
        }

        return length == 0 ? SyscallResult.Ok : task.Memory.SetProperty(start, length, mapping => mapping.IsLocked = locked);
    }

    private static Errno CheckRange(GuestTask task, ulong address, ulong length, out ulong rounded)
    {
        rounded = AddressLayout.RoundUp(length);
        ulong top = task.Kernel.Platform.MaxAddress.Value;
        return (address & PageMask) != 0 || rounded > top || address > top - rounded ? Errno.EINVAL : Errno.None;
    }
}
