using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>How calls on sockets wait.</summary>
internal static class SocketWait
{
    /// <summary>The deadline of SO_RCVTIMEO or SO_SNDTIMEO.</summary>
    public static long DeadlineOf(GuestTask task, long timeoutNs) => timeoutNs == 0 ? long.MaxValue : Guest.DeadlineAfter(task, timeoutNs);

    /// <summary>What an interrupted or timed-out wait returns: EAGAIN past the deadline; a wait with a timeout is not restarted (signal(7)).</summary>
    public static Errno Translate(Errno errno, long deadlineNs) =>
        errno == Errno.ETIMEDOUT ? Errno.EAGAIN : errno == Errno.ERESTARTSYS && deadlineNs != long.MaxValue ? Errno.EINTR : errno;

    /// <summary>A socket by its descriptor; the caller releases it.</summary>
    /// <returns>EBADF, ENOTSOCK.</returns>
    public static Result<Socket> Get(GuestTask task, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out Moat.Kernel.Vfs.FileDescription? file, out Errno errno))
        {
            return errno;
        }

        if (file is Socket socket)
        {
            return socket;
        }

        errno = file.IsPath ? Errno.EBADF : Errno.ENOTSOCK;
        file.Release();
        return errno;
    }
}
