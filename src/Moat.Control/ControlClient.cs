using Moat.Host;
using Moat.Host.Sockets;
using Moat.Linux;

namespace Moat.Control;

/// <summary>The command line's side of a control connection. One thread.</summary>
public sealed class ControlClient : IDisposable
{
    private readonly ControlChannel _channel;

    private ControlClient(ControlChannel channel) => _channel = channel;

    /// <summary>Connects. ENOENT, ECONNREFUSED: there is no sandbox any more.</summary>
    /// <param name="path">The socket; a path of more than 107 bytes is reached through a descriptor of its directory.</param>
    public static Result<ControlClient> Connect(string path)
    {
        return SocketPath.With(path, UnixSocket.Connect).TryGet(out int fd, out Errno errno) ? new ControlClient(new ControlChannel(fd)) : errno;
    }

    /// <summary>Asks and waits for the answer. ECONNRESET: the sandbox has ended meanwhile.</summary>
    public Result<ControlReply> Call(ControlRequest request, params ReadOnlySpan<int> descriptors) => Call(request, -1, descriptors);

    /// <summary>As above, with a limit.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="timeoutMs">How long the answer may take; -1 for no limit. ETIMEDOUT when it is over: the sandbox is stuck.</param>
    /// <param name="descriptors">Descriptors that go with it.</param>
    public Result<ControlReply> Call(ControlRequest request, int timeoutMs, ReadOnlySpan<int> descriptors)
    {
        Errno errno = _channel.Send(request, ControlJson.Default.ControlRequest, descriptors);
        if (errno != Errno.None)
        {
            return errno == Errno.EPIPE ? Errno.ECONNRESET : errno;
        }

        if (timeoutMs >= 0 && HostFile.Poll(_channel.Fd, PollEvents.POLLIN, timeoutMs) == PollEvents.None)
        {
            return Errno.ETIMEDOUT;
        }

        List<int> unexpected = [];
        Result<ControlReply> reply = _channel.Receive(ControlJson.Default.ControlReply, unexpected);
        unexpected.ForEach(static descriptor => HostMemory.Close(descriptor));
        return reply;
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();
}
