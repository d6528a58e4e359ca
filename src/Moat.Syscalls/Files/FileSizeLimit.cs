using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>RLIMIT_FSIZE (getrlimit(2)): how far a process may make a regular file grow.</summary>
internal static class FileSizeLimit
{
    /// <summary>Cuts a write at the limit.</summary>
    /// <returns>EFBIG, with SIGXFSZ, if not one byte may be written there.</returns>
    public static Errno Clip(GuestTask task, FileDescription file, ref IoBuffer buffer, long offset)
    {
        ulong limit = task.ThreadGroup.Limits.Get(ResourceLimits.FileSize).Current;
        if (limit == ResourceLimit.Infinity || buffer.IsEmpty || file.Inode.FileType != Mode.S_IFREG)
        {
            return Errno.None;
        }

        if (file.Appends(buffer))
        {
            Errno errno = file.Inode.GetAttributes(out InodeAttributes attributes);
            if (errno != Errno.None)
            {
                return errno;
            }

            offset = attributes.Size;
        }

        if ((ulong)offset >= limit)
        {
            Guest.SignalSelf(task, Signal.SIGXFSZ);
            return Errno.EFBIG;
        }

        buffer.Limit((long)Math.Min(limit - (ulong)offset, long.MaxValue));
        return Errno.None;
    }

    /// <summary>Whether a file may get a size (truncate(2), fallocate(2)).</summary>
    /// <returns>EFBIG, with SIGXFSZ.</returns>
    public static Errno Check(GuestTask task, Inode inode, long size)
    {
        ulong limit = task.ThreadGroup.Limits.Get(ResourceLimits.FileSize).Current;
        if ((ulong)size <= limit)
        {
            return Errno.None;
        }

        Errno errno = inode.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None || size <= attributes.Size)
        {
            return errno;
        }

        Guest.SignalSelf(task, Signal.SIGXFSZ);
        return Errno.EFBIG;
    }
}
