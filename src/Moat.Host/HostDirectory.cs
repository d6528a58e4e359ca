using Moat.Linux;

namespace Moat.Host;

/// <summary>Calls of the host on names in a directory: mkdirat(2), unlinkat(2), renameat2(2), linkat(2), symlinkat(2), mknodat(2), and changes of attributes. Links are never followed.</summary>
public static unsafe class HostDirectory
{
    private const int AtEmptyPath = 0x1000;
    private const int AtRemoveDirectory = 0x200;

    /// <summary>openat(2) with O_CREAT and a mode, close-on-exec.</summary>
    public static Result<int> Create(int directory, ReadOnlySpan<byte> name, OpenFlags flags, Mode permissions)
    {
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        Terminate(name, terminated);

        // SAFETY: here and below, names are on this stack frame and end with a zero byte.
        fixed (byte* pointer = terminated)
        {
            SyscallResult result = HostCall.Invoke(SyscallNumber.openat, directory, (nint)pointer, (int)(flags | OpenFlags.O_CREAT | OpenFlags.O_CLOEXEC), (int)permissions);
            return result.IsError ? result.Errno : (int)result.Raw;
        }
    }

    /// <summary>mkdirat(2).</summary>
    public static Errno MakeDirectory(int directory, ReadOnlySpan<byte> name, Mode permissions) => WithName(SyscallNumber.mkdirat, directory, name, (int)permissions);

    /// <summary>mknodat(2).</summary>
    public static Errno MakeNode(int directory, ReadOnlySpan<byte> name, Mode mode, DeviceNumber device) => WithName(SyscallNumber.mknodat, directory, name, (int)mode, (nint)device.Value);

    /// <summary>unlinkat(2).</summary>
    public static Errno Unlink(int directory, ReadOnlySpan<byte> name, bool isDirectory) => WithName(SyscallNumber.unlinkat, directory, name, isDirectory ? AtRemoveDirectory : 0);

    /// <summary>symlinkat(2).</summary>
    public static Errno MakeSymlink(int directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        if (target.Length > 4095)
        {
            return Errno.ENAMETOOLONG;
        }

        Span<byte> text = stackalloc byte[target.Length + 1];
        Terminate(target, text);
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        Terminate(name, terminated);
        fixed (byte* textPointer = text)
        fixed (byte* pointer = terminated)
        {
            return HostCall.Invoke(SyscallNumber.symlinkat, (nint)textPointer, directory, (nint)pointer).Errno;
        }
    }

    /// <summary>renameat(2).</summary>
    public static Errno Rename(int directory, ReadOnlySpan<byte> name, int newDirectory, ReadOnlySpan<byte> newName)
    {
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        Terminate(name, terminated);
        Span<byte> newTerminated = stackalloc byte[newName.Length + 1];
        Terminate(newName, newTerminated);
        fixed (byte* pointer = terminated)
        fixed (byte* newPointer = newTerminated)
        {
            return HostCall.Invoke(SyscallNumber.renameat2, directory, (nint)pointer, newDirectory, (nint)newPointer, 0).Errno;
        }
    }

    /// <summary>linkat(2) of the file behind a name that may be a magic link (AT_SYMLINK_FOLLOW).</summary>
    public static Errno Link(int magicDirectory, ReadOnlySpan<byte> magicName, int newDirectory, ReadOnlySpan<byte> newName)
    {
        const int AtSymlinkFollow = 0x400;
        Span<byte> terminated = stackalloc byte[magicName.Length + 1];
        Terminate(magicName, terminated);
        Span<byte> newTerminated = stackalloc byte[newName.Length + 1];
        Terminate(newName, newTerminated);
        fixed (byte* pointer = terminated)
        fixed (byte* newPointer = newTerminated)
        {
            return HostCall.Invoke(SyscallNumber.linkat, magicDirectory, (nint)pointer, newDirectory, (nint)newPointer, AtSymlinkFollow).Errno;
        }
    }

    /// <summary>fchmodat(2): follows a magic link.</summary>
    public static Errno SetPermissions(int directory, ReadOnlySpan<byte> name, Mode permissions) => WithName(SyscallNumber.fchmodat, directory, name, (int)permissions);

    /// <summary>utimensat(2): follows a magic link. UTIME_OMIT and UTIME_NOW are taken as nanoseconds.</summary>
    public static Errno SetTimes(int directory, ReadOnlySpan<byte> name, Timespec access, Timespec modify)
    {
        Span<Timespec> times = [access, modify];
        fixed (Timespec* pointer = times)
        {
            return WithName(SyscallNumber.utimensat, directory, name, (nint)pointer, 0);
        }
    }

    /// <summary>fchownat(2) of the descriptor's own file, which may be a symbolic link (AT_EMPTY_PATH).</summary>
    public static Errno SetOwner(int fd, uint uid, uint gid)
    {
        byte zero = 0;
        return HostCall.Invoke(SyscallNumber.fchownat, fd, (nint)(&zero), (nint)uid, (nint)gid, AtEmptyPath).Errno;
    }

    /// <summary>fstatfs(2): <c>struct statfs</c> of x86-64, 120 bytes.</summary>
    public static Errno GetStatistics(int fd, Span<byte> statistics)
    {
        const int Size = 120;
        ArgumentOutOfRangeException.ThrowIfLessThan(statistics.Length, Size);

        // SAFETY: the buffer has the size of the structure.
        fixed (byte* pointer = statistics)
        {
            return HostCall.Invoke(SyscallNumber.fstatfs, fd, (nint)pointer).Errno;
        }
    }

    private static Errno WithName(SyscallNumber call, int directory, ReadOnlySpan<byte> name, nint a2 = 0, nint a3 = 0)
    {
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        Terminate(name, terminated);
        fixed (byte* pointer = terminated)
        {
            return HostCall.Invoke(call, directory, (nint)pointer, a2, a3).Errno;
        }
    }

    private static void Terminate(ReadOnlySpan<byte> name, Span<byte> terminated)
    {
        name.CopyTo(terminated);
        terminated[name.Length] = 0;
    }
}
