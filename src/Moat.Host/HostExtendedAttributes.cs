using System.Buffers;
using Moat.Linux;

namespace Moat.Host;

/// <summary>Extended attributes of an open file (fgetxattr(2) and its kin). Names are without a zero byte.</summary>
public static unsafe class HostExtendedAttributes
{
    /// <summary>The largest value, and the longest list of names, in bytes (XATTR_SIZE_MAX, XATTR_LIST_MAX).</summary>
    public const int MaxBytes = 65536;

    private const int MaxName = 255; // XATTR_NAME_MAX

    /// <summary>An attribute's value.</summary>
    public static Result<byte[]> Get(int fd, ReadOnlySpan<byte> name)
    {
        Span<byte> terminated = stackalloc byte[MaxName + 1];
        return Terminate(name, terminated) ? Fetch(SyscallNumber.fgetxattr, fd, terminated) : Errno.ERANGE;
    }

    /// <summary>The names, each ended by a zero byte.</summary>
    public static Result<byte[]> List(int fd) => Fetch(SyscallNumber.flistxattr, fd, default);

    /// <summary>Sets a value; flags are XATTR_CREATE and XATTR_REPLACE.</summary>
    public static Errno Set(int fd, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags)
    {
        Span<byte> terminated = stackalloc byte[MaxName + 1];
        if (!Terminate(name, terminated))
        {
            return Errno.ERANGE;
        }

        // SAFETY: here and below, the kernel reads the name up to its zero byte, which is on this stack frame, and the value, which is pinned, and keeps neither.
        fixed (byte* pointer = terminated, bytes = value)
        {
            return HostCall.Invoke(SyscallNumber.fsetxattr, fd, (nint)pointer, (nint)bytes, value.Length, flags).Errno;
        }
    }

    /// <summary>Removes an attribute.</summary>
    public static Errno Remove(int fd, ReadOnlySpan<byte> name)
    {
        Span<byte> terminated = stackalloc byte[MaxName + 1];
        if (!Terminate(name, terminated))
        {
            return Errno.ERANGE;
        }

        // SAFETY: as above.
        fixed (byte* pointer = terminated)
        {
            return HostCall.Invoke(SyscallNumber.fremovexattr, fd, (nint)pointer).Errno;
        }
    }

    // With a name its value; without one the list.
    private static Result<byte[]> Fetch(SyscallNumber call, int fd, ReadOnlySpan<byte> name)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxBytes);
        SyscallResult result;

        // SAFETY: as above; the kernel writes at most MaxBytes to the buffer, which is pinned.
        fixed (byte* pointer = name, bytes = buffer)
        {
            result = name.IsEmpty ? HostCall.Invoke(call, fd, (nint)bytes, MaxBytes) : HostCall.Invoke(call, fd, (nint)pointer, (nint)bytes, MaxBytes);
        }

        Result<byte[]> value = result.IsError ? result.Errno : buffer[..(int)result.Raw];
        ArrayPool<byte>.Shared.Return(buffer);
        return value;
    }

    private static bool Terminate(ReadOnlySpan<byte> name, Span<byte> terminated)
    {
        if (name.IsEmpty || name.Length > MaxName)
        {
            return false;
        }

        name.CopyTo(terminated);
        terminated[name.Length] = 0;
        return true;
    }
}
