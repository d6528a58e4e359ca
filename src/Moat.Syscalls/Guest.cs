using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls;

/// <summary>What handlers do at their start: look up descriptors, read paths, find where a path starts.</summary>
internal static class Guest
{
    /// <summary>AT_FDCWD.</summary>
    public const int AtFdCwd = -100;

    public const int AtSymlinkNoFollow = 0x100;
    public const int AtEmptyPath = 0x1000;

    /// <summary>Reads the path that a call is about into the task's buffer: valid until the next path is read. ENAMETOOLONG past PATH_MAX, EFAULT.</summary>
    public static Errno ReadPath(GuestTask task, GuestAddress address, out ReadOnlySpan<byte> path)
    {
        byte[] buffer = task.PathBuffer;
        path = task.Memory.CopyInString(address, buffer).TryGet(out int length, out Errno errno) ? buffer.AsSpan(0, length) : default;
        return errno;
    }

    /// <summary>As above, for calls that are about several paths: a copy.</summary>
    public static Result<byte[]> ReadPath(GuestTask task, GuestAddress address)
    {
        Errno errno = ReadPath(task, address, out ReadOnlySpan<byte> path);
        return errno == Errno.None ? path.ToArray() : errno;
    }

    /// <summary>Where a relative path starts.</summary>
    /// <param name="always">Absolute ones start there too (RESOLVE_IN_ROOT).</param>
    /// <returns>EBADF, ENOTDIR.</returns>
    public static Result<PathLocation> StartOf(GuestTask task, int directoryFd, ReadOnlySpan<byte> path, bool always = false)
    {
        if (directoryFd == AtFdCwd || (!always && !path.IsEmpty && path[0] == (byte)'/'))
        {
            return task.Fs.WorkingDirectory;
        }

        if (!task.Files.Get(directoryFd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        PathLocation? location = file.Location;
        bool isDirectory = file.Inode.IsDirectory;
        file.Release();
        return location is { } place && (isDirectory || path.IsEmpty) ? place : Errno.ENOTDIR;
    }

    /// <summary>Reads a path and resolves it.</summary>
    public static Result<PathLocation> Resolve(GuestTask task, int directoryFd, GuestAddress address, WalkFlags flags = WalkFlags.None)
    {
        Errno errno = ReadPath(task, address, out ReadOnlySpan<byte> path);
        if (errno != Errno.None)
        {
            return errno;
        }

        return StartOf(task, directoryFd, path).TryGet(out PathLocation start, out errno) ? PathWalker.Resolve(task, start, path, flags) : errno;
    }

    /// <summary>The walk flags of AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.</summary>
    public static WalkFlags WalkFlagsOf(int atFlags) =>
        ((atFlags & AtSymlinkNoFollow) != 0 ? WalkFlags.NoFollow : 0) | ((atFlags & AtEmptyPath) != 0 ? WalkFlags.EmptyPath : 0);

    /// <summary>Reads a structure that grows from version to version and comes with its size (copy_struct_from_user): what is missing is zero, what is unknown must be.</summary>
    /// <param name="known">Receives the fields this kernel knows; cleared by the caller.</param>
    /// <returns>EINVAL below the first version's size, E2BIG for unknown fields that are not zero, EFAULT.</returns>
    public static Errno ReadExtensible(GuestTask task, GuestAddress address, ulong size, ulong minSize, Span<byte> known)
    {
        const ulong MaxSize = 4096;
        if (size < minSize || size > MaxSize)
        {
            return size < minSize ? Errno.EINVAL : Errno.E2BIG;
        }

        for (ulong i = (ulong)known.Length; i < size; i++)
        {
            Errno failure = task.Memory.Read(address + i, out byte extra);
            if (failure != Errno.None || extra != 0)
            {
                return failure != Errno.None ? failure : Errno.E2BIG;
            }
        }

        return task.Memory.CopyIn(address, known[..(int)Math.Min(size, (ulong)known.Length)]);
    }

    /// <summary>The deadline of a relative timeout at an address: no limit for a null pointer.</summary>
    /// <returns>EFAULT, EINVAL.</returns>
    public static Result<long> DeadlineOf(GuestTask task, GuestAddress address)
    {
        if (address.IsNull)
        {
            return long.MaxValue;
        }

        Errno errno = task.Memory.Read(address, out Timespec timeout);
        return errno != Errno.None ? errno : timeout.IsValid ? DeadlineAfter(task, timeout.ToNanoseconds()) : Errno.EINVAL;
    }

    /// <summary>Gives a new description a descriptor; O_CLOEXEC of <paramref name="flags"/> counts.</summary>
    /// <returns>The descriptor, or EMFILE.</returns>
    public static SyscallResult InstallNew(GuestTask task, FileDescription file, int flags) =>
        task.Files.Install(file, (flags & (int)OpenFlags.O_CLOEXEC) != 0, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out Errno errno) ? fd : errno;

    /// <summary>Sends the calling task a signal for what its call does: SIGPIPE, SIGXFSZ.</summary>
    public static void SignalSelf(GuestTask task, Signal signal)
    {
        lock (task.Kernel.TaskLock)
        {
            SignalSender.SendToTask(task, SignalInfo.FromSender(signal, SignalInfo.SiUser, task.ThreadGroup.Pid, task.Credentials.RealUid));
        }
    }

    /// <summary>Now and a time, saturating.</summary>
    public static long DeadlineAfter(GuestTask task, long nanoseconds)
    {
        long now = task.Kernel.Clock.MonotonicNs;
        return nanoseconds >= long.MaxValue - now ? long.MaxValue - 1 : now + nanoseconds;
    }
}
