using Moat.Host.Sockets;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>A 9P connection over a unix socket.</summary>
internal sealed class UnixTransport(int fd) : INinePTransport
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
