using Moat.Host;
using Moat.Host.Sockets;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>The connection to a Gofer: a unix socket that the Sentry was given.</summary>
internal sealed class GoferTransport(int fd) : INinePTransport
{
    private const int MaxDescriptors = 16;

    private readonly Lock _lock = new(); // a leaf
    private int _fd = fd; // guarded by _lock; -1 when it is closed

    /// <inheritdoc/>
    public Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        lock (_lock)
        {
            return _fd < 0 ? Errno.EIO : UnixSocket.Send(_fd, message, descriptors);
        }
    }

    /// <inheritdoc/>
    public Result<int> Receive(Span<byte> destination, List<int> descriptors)
    {
        lock (_lock)
        {
            SyscallResult result = _fd < 0 ? Errno.EIO : UnixSocket.Receive(_fd, destination, descriptors, MaxDescriptors);
            return result.IsError ? result.Errno : (int)result.Raw;
        }
    }

    /// <summary>Ends the connection; whoever watches it sees that.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_fd >= 0)
            {
                UnixSocket.Shutdown(_fd);
                HostMemory.Close(_fd);
                _fd = -1;
            }
        }
    }
}
