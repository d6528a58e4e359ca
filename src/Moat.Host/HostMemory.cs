using Moat.Linux;

namespace Moat.Host;

/// <summary>Memory mappings of the Sentry's own address space: mmap(2), munmap(2), mprotect(2), memfd_create(2).</summary>
public static unsafe class HostMemory
{
    public const int ProtRead = 1;
    public const int ProtWrite = 2;
    public const int ProtExec = 4;
    public const int MapShared = 1;
    public const int MapPrivate = 2;
    public const int MapFixed = 0x10;
    public const int MapAnonymous = 0x20;
    public const int MapNoReserve = 0x4000;
    public const int MapPopulate = 0x8000;
    public const int MapFixedNoReplace = 0x100000;

    /// <summary>mmap(2).</summary>
    public static Result<nint> Map(nint address, nuint length, int protection, int flags, int fd = -1, long offset = 0)
    {
        SyscallResult result = HostCall.Invoke(SyscallNumber.mmap, address, (nint)length, protection, flags, fd, (nint)offset);
        return result.IsError ? result.Errno : (nint)result.Raw;
    }

    /// <summary>munmap(2).</summary>
    public static Errno Unmap(nint address, nuint length) => HostCall.Invoke(SyscallNumber.munmap, address, (nint)length).Errno;

    /// <summary>mprotect(2).</summary>
    public static Errno Protect(nint address, nuint length, int protection) => HostCall.Invoke(SyscallNumber.mprotect, address, (nint)length, protection).Errno;

    /// <summary>memfd_create(2), close-on-exec.</summary>
    /// <param name="name">What /proc shows, for debugging.</param>
    /// <param name="sealable">Whether seals may be added.</param>
    public static Result<int> CreateMemfd(ReadOnlySpan<byte> name, bool sealable)
    {
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;

        // SAFETY: the name is on this stack frame and ends with a zero byte.
        fixed (byte* pointer = terminated)
        {
            const int CloseOnExec = 1;
            const int AllowSealing = 2;
            SyscallResult result = HostCall.Invoke(SyscallNumber.memfd_create, (nint)pointer, CloseOnExec | (sealable ? AllowSealing : 0));
            return result.IsError ? result.Errno : (int)result.Raw;
        }
    }

    /// <summary>ftruncate(2).</summary>
    public static Errno Truncate(int fd, long length) => HostCall.Invoke(SyscallNumber.ftruncate, fd, (nint)length).Errno;

    /// <summary>Seals a memfd against shrinking and growing, and against other seals (fcntl(2) F_ADD_SEALS).</summary>
    public static Errno SealSize(int fd)
    {
        const int AddSeals = 1033;
        const int SealSealShrinkGrow = 7;
        return HostCall.Invoke(SyscallNumber.fcntl, fd, AddSeals, SealSealShrinkGrow).Errno;
    }

    /// <summary>fallocate(2) with FALLOC_FL_PUNCH_HOLE: gives pages of a file back; they read as zeros.</summary>
    public static Errno PunchHole(int fd, long offset, long length)
    {
        const int PunchHoleKeepSize = 3;
        return HostCall.Invoke(SyscallNumber.fallocate, fd, PunchHoleKeepSize, (nint)offset, (nint)length).Errno;
    }

    /// <summary>close(2).</summary>
    public static Errno Close(int fd) => HostCall.Invoke(SyscallNumber.close, fd).Errno;
}
