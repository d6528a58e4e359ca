using System.Text;
using Moat.Host;
using Moat.Linux;

namespace Moat.Control;

/// <summary>Reaches sockets whose path is longer than the 107 bytes that fit into an address (unix(7)).</summary>
public static class SocketPath
{
    private const int MaxBytes = 107;

    /// <summary>Calls with the path itself, or with one through a descriptor of the socket's directory.</summary>
    public static Result<int> With(string path, Func<string, Result<int>> call)
    {
        if (Encoding.UTF8.GetByteCount(path) <= MaxBytes)
        {
            return call(path);
        }

        byte[] folder = Encoding.UTF8.GetBytes(Path.GetDirectoryName(path) ?? "/");
        if (!HostFile.OpenAt(HostFile.CurrentDirectory, folder, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        Result<int> result = call($"/proc/self/fd/{fd}/{Path.GetFileName(path)}");
        HostMemory.Close(fd);
        return result;
    }
}
