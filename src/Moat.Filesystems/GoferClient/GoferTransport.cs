using Moat.Host.Sockets;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>The connection to a Gofer: a unix socket that the Sentry was given.</summary>
internal sealed class GoferTransport(int fd) : INinePTransport
{
    private const int MaxDescriptors = 16;

    /// <inheritdoc/>
    public Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors) => UnixSocket.Send(fd, message, descriptors);

    /// <inheritdoc/>
    public Result<int> Receive(Span<byte> destination, List<int> descriptors)
    {
        SyscallResult result = UnixSocket.Receive(fd, destination, descriptors, MaxDescriptors);
        return result.IsError ? result.Errno : (int)result.Raw;
    }
}
