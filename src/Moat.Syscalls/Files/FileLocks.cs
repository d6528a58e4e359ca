using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Vfs.Locks;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>flock(2), and the record locks of fcntl(2).</summary>
internal static class FileLocks
{
    private const int GetLock = 5;
    private const int SetLockWait = 7;
    private const int GetOpenFileLock = 36;
    private const int SetOpenFileLockWait = 38;

    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.flock, Flock, Arg.Fd, Arg.Hex);

    /// <summary>Whether a command of fcntl(2) is one of F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ forms.</summary>
    public static bool IsCommand(int command) => command is (>= GetLock and <= SetLockWait) or (>= GetOpenFileLock and <= SetOpenFileLockWait);

    /// <summary>Carries such a command out.</summary>
    public static SyscallResult Run(GuestTask task, int fd, FileDescription file, int command, GuestAddress address)
    {
        Errno errno = task.Memory.Read(address, out FlockBuffer buffer);
        if (errno != Errno.None)
        {
            return errno;
        }

        bool isOpenFile = command >= GetOpenFileLock;
        bool asks = command is GetLock or GetOpenFileLock;
        if (asks && !(buffer.Type is 0 or 1 || (isOpenFile && buffer.Type == 2)))
        {
            return Errno.EINVAL;
        }

        if (!ToLock(task, file, buffer, isOpenFile).TryGet(out FileLock? wanted, out errno))
        {
            return errno;
        }

        if (asks)
        {
            return isOpenFile && buffer.Pid != 0 ? Errno.EINVAL : Report(task, task.Kernel.FileLocks.Find(file.Inode, wanted), address, buffer);
        }

        if ((wanted.Kind == LockKind.Read && !file.CanRead) || (wanted.Kind == LockKind.Write && !file.CanWrite))
        {
            return Errno.EBADF;
        }

        if (isOpenFile && buffer.Pid != 0)
        {
            return Errno.EINVAL;
        }

        errno = task.Kernel.FileLocks.Set(task, file.Inode, wanted, command is SetLockWait or SetOpenFileLockWait);

        // The descriptor may have been closed meanwhile by another thread: that close has ended the process' locks before this one was there.
        if (errno == Errno.None && !isOpenFile && wanted.Kind != LockKind.None && !IsStillOpen(task, fd, file))
        {
            task.Kernel.FileLocks.Set(task, file.Inode, wanted with { Kind = LockKind.None }, waits: false);
            return Errno.EBADF;
        }

        return errno;
    }

    private static SyscallResult Flock(GuestTask task, in SyscallArguments arguments)
    {
        const int Shared = 1;
        const int Exclusive = 2;
        const int NonBlocking = 4;
        const int Unlock = 8;
        const int Mandatory = 32; // LOCK_MAND: accepted and without effect since Linux 5.15
        int operation = arguments.Int(1);
        LockKind kind;
        switch (operation & ~NonBlocking)
        {
            case Shared: kind = LockKind.Read; break;
            case Exclusive: kind = LockKind.Write; break;
            case Unlock: kind = LockKind.None; break;
            default: return (operation & Mandatory) != 0 ? SyscallResult.Ok : Errno.EINVAL;
        }

        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        FileLock wanted = new(LockClass.Flock, kind, 0, long.MaxValue, file, task.ThreadGroup.Id.In(task.Kernel.Pids));
        bool isOpen = file.CanRead || file.CanWrite || (!file.IsPath && (file.StatusFlags & OpenFlags.O_ACCMODE) == OpenFlags.O_ACCMODE);
        errno = kind != LockKind.None && !isOpen ? Errno.EBADF : file.IsPath ? Errno.EBADF : task.Kernel.FileLocks.Set(task, file.Inode, wanted, (operation & NonBlocking) == 0);
        file.Release();
        return errno;
    }

    private static Result<FileLock> ToLock(GuestTask task, FileDescription file, in FlockBuffer buffer, bool isOpenFile)
    {
        long origin;
        switch (buffer.Whence)
        {
            case 0:
                origin = 0;
                break;
            case 1:
                origin = file.Offset;
                break;
            case 2:
                Errno errno = file.Inode.GetAttributes(out InodeAttributes attributes);
                if (errno != Errno.None)
                {
                    return errno;
                }

                origin = attributes.Size;
                break;
            default:
                return Errno.EINVAL;
        }

        if (buffer.Start > long.MaxValue - origin)
        {
            return Errno.EOVERFLOW;
        }

        long start = origin + buffer.Start;
        if (start < 0)
        {
            return Errno.EINVAL;
        }

        long end = long.MaxValue;
        if (buffer.Length > 0)
        {
            if (buffer.Length - 1 > long.MaxValue - start)
            {
                return Errno.EOVERFLOW;
            }

            end = start + buffer.Length - 1;
        }
        else if (buffer.Length < 0)
        {
            if (start + buffer.Length < 0)
            {
                return Errno.EINVAL;
            }

            end = start - 1;
            start += buffer.Length;
        }

        if (buffer.Type is < 0 or > 2)
        {
            return Errno.EINVAL;
        }

        return isOpenFile
            ? new FileLock(LockClass.OpenFile, (LockKind)buffer.Type, start, end, file, -1)
            : new FileLock(LockClass.Posix, (LockKind)buffer.Type, start, end, task.Files, task.ThreadGroup.Id.In(task.Kernel.Pids));
    }

    private static SyscallResult Report(GuestTask task, FileLock? found, GuestAddress address, FlockBuffer buffer)
    {
        if (found is null)
        {
            buffer.Type = (short)LockKind.None;
        }
        else
        {
            buffer = new FlockBuffer
            {
                Type = (short)found.Kind,
                Start = found.Start,
                Length = found.End == long.MaxValue ? 0 : found.End - found.Start + 1,
                Pid = found.Pid > 0 ? task.Pids.Translate(task.Kernel, found.Pid) : found.Pid,
            };
        }

        return task.Memory.Write(address, buffer);
    }

    private static bool IsStillOpen(GuestTask task, int fd, FileDescription file)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? now, out _))
        {
            return false;
        }

        now.Release();
        return now == file;
    }

    // struct flock
    [StructLayout(LayoutKind.Sequential)]
    private struct FlockBuffer
    {
        public short Type;
        public short Whence;
        private readonly int _padding0;
        public long Start;
        public long Length;
        public int Pid;
        private readonly int _padding1;
    }
}
