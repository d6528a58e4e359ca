using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Moat.Host;
using Moat.Linux;

namespace Moat.Control;

/// <summary>A configuration or report that goes to another process as JSON through a descriptor.</summary>
public static class ConfigFile
{
    private const int MaxBytes = 64 << 20;

    /// <summary>A memfd with the value, positioned at its start.</summary>
    public static Result<int> Create<T>(T value, JsonTypeInfo<T> type, ReadOnlySpan<byte> name)
    {
        if (!HostMemory.CreateMemfd(name, sealable: false).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        errno = Write(fd, value, type);
        if (errno == Errno.None)
        {
            errno = HostCall.Invoke(SyscallNumber.lseek, fd, 0, 0).Errno;
        }

        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }

    /// <summary>Writes a value to a pipe or file.</summary>
    public static Errno Write<T>(int fd, T value, JsonTypeInfo<T> type)
    {
        ReadOnlySpan<byte> rest = JsonSerializer.SerializeToUtf8Bytes(value, type);
        while (!rest.IsEmpty)
        {
            SyscallResult written = HostFile.Write(fd, rest);
            if (written.IsError && written.Errno != Errno.EINTR)
            {
                return written.Errno;
            }

            rest = rest[(written.IsError ? 0 : (int)written.Raw)..];
        }

        return Errno.None;
    }

    /// <summary>Reads a value up to the end of the file or pipe.</summary>
    /// <returns>The value; ENODATA if there is none; EINVAL if it is malformed; EFBIG.</returns>
    public static Result<T> Read<T>(int fd, JsonTypeInfo<T> type)
        where T : class
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[16384];
        while (true)
        {
            SyscallResult count = HostFile.Read(fd, buffer);
            if (count.IsError)
            {
                if (count.Errno == Errno.EINTR)
                {
                    continue;
                }

                return count.Errno;
            }

            if (count.Raw == 0)
            {
                break;
            }

            all.Write(buffer, 0, (int)count.Raw);
            if (all.Length > MaxBytes)
            {
                return Errno.EFBIG;
            }
        }

        if (all.Length == 0)
        {
            return Errno.ENODATA;
        }

        try
        {
            return JsonSerializer.Deserialize(all.GetBuffer().AsSpan(0, (int)all.Length), type) is { } value ? value : Errno.EINVAL;
        }
        catch (JsonException)
        {
            return Errno.EINVAL;
        }
    }
}
