using System.Text;
using Moat.Linux;

namespace Moat.Host;

/// <summary>Calls on paths of the host, where the errno matters: mkdir(2), open(2) with a mode.</summary>
public static unsafe class HostPath
{
    /// <summary>mkdir(2). EEXIST tells a name in use.</summary>
    public static Errno MakeDirectory(string path, UnixFileMode mode)
    {
        byte[] name = Terminate(Encoding.UTF8.GetBytes(path));

        // SAFETY: the array is pinned for the call and ends with a zero byte.
        fixed (byte* pointer = name)
        {
            return HostCall.Invoke(SyscallNumber.mkdir, (nint)pointer, (int)mode).Errno;
        }
    }

    /// <summary>open(2), close-on-exec; a new file is its owner's alone.</summary>
    public static Result<int> OpenFile(ReadOnlySpan<byte> path, OpenFlags flags)
    {
        const int OwnerReadWrite = 0x180;
        byte[] name = Terminate(path);

        // SAFETY: as above.
        fixed (byte* pointer = name)
        {
            SyscallResult result = HostCall.Invoke(SyscallNumber.openat, HostFile.CurrentDirectory, (nint)pointer, (int)(flags | OpenFlags.O_CLOEXEC), OwnerReadWrite);
            return result.IsError ? result.Errno : (int)result.Raw;
        }
    }

    /// <summary>As above, by a string.</summary>
    public static Result<int> OpenFile(string path, OpenFlags flags) => OpenFile(Encoding.UTF8.GetBytes(path), flags);

    private static byte[] Terminate(ReadOnlySpan<byte> path)
    {
        byte[] name = new byte[path.Length + 1];
        path.CopyTo(name);
        return name;
    }
}
