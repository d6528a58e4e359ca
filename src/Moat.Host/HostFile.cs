using Moat.Linux;

namespace Moat.Host;

/// <summary>File calls of the host on descriptors: openat(2), read(2), write(2), preadv(2), fstat(2), getdents64(2), readlinkat(2), poll(2), eventfd(2).</summary>
public static unsafe class HostFile
{
    /// <summary>AT_FDCWD.</summary>
    public const int CurrentDirectory = -100;

    private const int AtEmptyPath = 0x1000;
    private const int AtSymlinkNoFollow = 0x100;

    /// <summary>openat(2), always close-on-exec.</summary>
    /// <param name="directory">Where a relative name starts.</param>
    /// <param name="name">The name, without an ending zero.</param>
    /// <param name="flags">O_*.</param>
    public static Result<int> OpenAt(int directory, ReadOnlySpan<byte> name, OpenFlags flags)
    {
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;

        // SAFETY: the name is on this stack frame and ends with a zero byte.
        fixed (byte* pointer = terminated)
        {
            SyscallResult result = HostCall.Invoke(SyscallNumber.openat, directory, (nint)pointer, (int)(flags | OpenFlags.O_CLOEXEC));
            return result.IsError ? result.Errno : (int)result.Raw;
        }
    }

    /// <summary>fcntl(2) F_GETFL: access mode and status flags.</summary>
    public static Result<OpenFlags> GetStatusFlags(int fd)
    {
        const int GetFlags = 3;
        SyscallResult result = HostCall.Invoke(SyscallNumber.fcntl, fd, GetFlags);
        return result.IsError ? result.Errno : (OpenFlags)result.Raw;
    }

    /// <summary>Whether a descriptor is open and was so when this program was executed: what the program itself has opened is close-on-exec.</summary>
    public static bool IsInherited(int fd)
    {
        const int GetDescriptorFlags = 1; // F_GETFD
        const int CloseOnExec = 1; // FD_CLOEXEC
        SyscallResult result = HostCall.Invoke(SyscallNumber.fcntl, fd, GetDescriptorFlags);
        return !result.IsError && (result.Raw & CloseOnExec) == 0;
    }

    /// <summary>Makes a number lead to /dev/null, closing what it led to (dup3(2)).</summary>
    public static Errno ReplaceByNull(int fd)
    {
        if (!HostPath.OpenFile("/dev/null"u8, OpenFlags.O_RDWR).TryGet(out int discard, out Errno errno))
        {
            return errno;
        }

        errno = HostCall.Invoke(SyscallNumber.dup3, discard, fd, (int)OpenFlags.O_CLOEXEC).Errno;
        HostMemory.Close(discard);
        return errno;
    }

    /// <summary>read(2).</summary>
    public static SyscallResult Read(int fd, Span<byte> destination)
    {
        // SAFETY: the span bounds what the kernel writes and is pinned for the call.
        fixed (byte* pointer = destination)
        {
            return HostCall.Invoke(SyscallNumber.read, fd, (nint)pointer, destination.Length);
        }
    }

    /// <summary>write(2).</summary>
    public static SyscallResult Write(int fd, ReadOnlySpan<byte> source)
    {
        // SAFETY: the span bounds what the kernel reads and is pinned for the call.
        fixed (byte* pointer = source)
        {
            return HostCall.Invoke(SyscallNumber.write, fd, (nint)pointer, source.Length);
        }
    }

    /// <summary>pread(2).</summary>
    public static SyscallResult ReadAt(int fd, Span<byte> destination, long offset)
    {
        // SAFETY: as in Read.
        fixed (byte* pointer = destination)
        {
            return HostCall.Invoke(SyscallNumber.pread64, fd, (nint)pointer, destination.Length, (nint)offset);
        }
    }

    /// <summary>pwrite(2).</summary>
    public static SyscallResult WriteAt(int fd, ReadOnlySpan<byte> source, long offset)
    {
        // SAFETY: as in Write.
        fixed (byte* pointer = source)
        {
            return HostCall.Invoke(SyscallNumber.pwrite64, fd, (nint)pointer, source.Length, (nint)offset);
        }
    }

    /// <summary>preadv(2) into memory that the caller holds: addresses of the memory file.</summary>
    public static SyscallResult ReadAt(int fd, ReadOnlySpan<IoVec> segments, long offset)
    {
        // SAFETY: the segments are pages the caller has pinned; the list is pinned for the call.
        fixed (IoVec* pointer = segments)
        {
            return HostCall.Invoke(SyscallNumber.preadv, fd, (nint)pointer, segments.Length, (nint)offset);
        }
    }

    /// <summary>pwritev(2) of memory that the caller holds: addresses of the memory file.</summary>
    public static SyscallResult WriteAt(int fd, ReadOnlySpan<IoVec> segments, long offset)
    {
        // SAFETY: the segments are pages the caller has pinned; the list is pinned for the call.
        fixed (IoVec* pointer = segments)
        {
            return HostCall.Invoke(SyscallNumber.pwritev, fd, (nint)pointer, segments.Length, (nint)offset);
        }
    }

    /// <summary>readv(2), as above.</summary>
    public static SyscallResult Read(int fd, ReadOnlySpan<IoVec> segments)
    {
        // SAFETY: as above.
        fixed (IoVec* pointer = segments)
        {
            return HostCall.Invoke(SyscallNumber.readv, fd, (nint)pointer, segments.Length);
        }
    }

    /// <summary>writev(2), as above.</summary>
    public static SyscallResult Write(int fd, ReadOnlySpan<IoVec> segments)
    {
        // SAFETY: as above.
        fixed (IoVec* pointer = segments)
        {
            return HostCall.Invoke(SyscallNumber.writev, fd, (nint)pointer, segments.Length);
        }
    }

    /// <summary>preadv2(2) at the descriptor's own offset that does not wait, whatever the descriptor's mode (RWF_NOWAIT). EOPNOTSUPP where the kind of file does not know it.</summary>
    public static SyscallResult ReadNoWait(int fd, ReadOnlySpan<IoVec> segments) => NoWait(SyscallNumber.preadv2, fd, segments);

    /// <summary>As above, into a buffer of the Sentry's own.</summary>
    public static SyscallResult ReadNoWait(int fd, Span<byte> destination)
    {
        // SAFETY: the span bounds what the kernel writes and is pinned for the call.
        fixed (byte* pointer = destination)
        {
            return NoWait(SyscallNumber.preadv2, fd, [new IoVec((ulong)pointer, (ulong)destination.Length)]);
        }
    }

    /// <summary>pwritev2(2), as above.</summary>
    public static SyscallResult WriteNoWait(int fd, ReadOnlySpan<byte> source)
    {
        // SAFETY: as above.
        fixed (byte* pointer = source)
        {
            return NoWait(SyscallNumber.pwritev2, fd, [new IoVec((ulong)pointer, (ulong)source.Length)]);
        }
    }

    /// <summary>lseek(2).</summary>
    public static SyscallResult Seek(int fd, long offset, int whence) => HostCall.Invoke(SyscallNumber.lseek, fd, (nint)offset, whence);

    /// <summary>fsync(2), fdatasync(2).</summary>
    public static Errno Sync(int fd, bool dataOnly) => HostCall.Invoke(dataOnly ? SyscallNumber.fdatasync : SyscallNumber.fsync, fd).Errno;

    /// <summary>fstat(2).</summary>
    public static Result<HostStat> Stat(int fd) => StatAt(fd, default, AtEmptyPath);

    /// <summary>fstatat(2) of one name, links not followed.</summary>
    public static Result<HostStat> StatAt(int directory, ReadOnlySpan<byte> name) => StatAt(directory, name, AtSymlinkNoFollow);

    /// <summary>readlinkat(2) of a descriptor opened with O_PATH | O_NOFOLLOW.</summary>
    public static Result<byte[]> ReadLink(int fd) => ReadLinkAt(fd, default);

    /// <summary>readlinkat(2) of a name, or of the descriptor itself for an empty one.</summary>
    public static Result<byte[]> ReadLinkAt(int directory, ReadOnlySpan<byte> name)
    {
        Span<byte> buffer = stackalloc byte[4096];
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;

        // SAFETY: the name is on this stack frame and ends with a zero byte; the buffer bounds what the kernel writes.
        fixed (byte* pointer = buffer, link = terminated)
        {
            SyscallResult result = HostCall.Invoke(SyscallNumber.readlinkat, directory, (nint)link, (nint)pointer, buffer.Length);
            return result.IsError ? result.Errno : buffer[..(int)result.Raw].ToArray();
        }
    }

    /// <summary>getdents64(2).</summary>
    public static SyscallResult ReadDirectory(int fd, Span<byte> buffer)
    {
        // SAFETY: as in Read.
        fixed (byte* pointer = buffer)
        {
            return HostCall.Invoke(SyscallNumber.getdents64, fd, (nint)pointer, buffer.Length);
        }
    }

    /// <summary>poll(2) of one descriptor.</summary>
    /// <param name="timeoutMs">-1 for no limit.</param>
    /// <returns>The events; none on a timeout or an interruption.</returns>
    public static PollEvents Poll(int fd, PollEvents events, int timeoutMs)
    {
        PollFd one = new() { Fd = fd, Events = (short)events };

        // SAFETY: one pollfd on this stack frame.
        SyscallResult result = HostCall.Invoke(SyscallNumber.poll, (nint)(&one), 1, timeoutMs);
        return result.Raw == 1 ? (PollEvents)(ushort)one.ReturnedEvents : PollEvents.None;
    }

    /// <summary>poll(2) of several descriptors.</summary>
    public static SyscallResult Poll(Span<PollFd> fds, int timeoutMs)
    {
        // SAFETY: the span is pinned for the call.
        fixed (PollFd* pointer = fds)
        {
            return HostCall.Invoke(SyscallNumber.poll, (nint)pointer, fds.Length, timeoutMs);
        }
    }

    /// <summary>eventfd2(2), non-blocking, close-on-exec.</summary>
    public static Result<int> CreateEventFd()
    {
        const int NonBlockCloexec = 0x80800;
        SyscallResult result = HostCall.Invoke(SyscallNumber.eventfd2, 0, NonBlockCloexec);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <summary>ioctl(2) with a buffer.</summary>
    public static SyscallResult Ioctl(int fd, uint request, Span<byte> argument)
    {
        // SAFETY: the caller's buffer has the size the request wants and is pinned for the call.
        fixed (byte* pointer = argument)
        {
            return HostCall.Invoke(SyscallNumber.ioctl, fd, (nint)request, (nint)pointer);
        }
    }

    /// <summary>getrandom(2).</summary>
    public static void FillRandom(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            // SAFETY: the span bounds what the kernel writes and is pinned for the call.
            fixed (byte* pointer = destination)
            {
                SyscallResult result = HostCall.Invoke(SyscallNumber.getrandom, (nint)pointer, destination.Length, 0);
                if (!result.IsError)
                {
                    destination = destination[(int)result.Raw..];
                }
                else if (result.Errno != Errno.EINTR)
                {
                    throw new InvalidOperationException($"getrandom: {result.Errno}");
                }
            }
        }
    }

    private static SyscallResult NoWait(SyscallNumber call, int fd, ReadOnlySpan<IoVec> segments)
    {
        const int DoNotWait = 8; // RWF_NOWAIT
        const int OwnOffset = -1; // both halves

        // SAFETY: the segments are memory that the caller holds; the list is pinned for the call.
        fixed (IoVec* pointer = segments)
        {
            return HostCall.Invoke(call, fd, (nint)pointer, segments.Length, OwnOffset, OwnOffset, DoNotWait);
        }
    }

    private static Result<HostStat> StatAt(int directory, ReadOnlySpan<byte> name, int flags)
    {
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;
        HostStat stat = default;

        // SAFETY: the name is on this stack frame and ends with a zero byte; the kernel writes one struct stat.
        fixed (byte* pointer = terminated)
        {
            Errno errno = HostCall.Invoke(SyscallNumber.newfstatat, directory, (nint)pointer, (nint)(&stat), flags).Errno;
            return errno != Errno.None ? errno : stat;
        }
    }
}
