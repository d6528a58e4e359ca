using Moat.Linux;

namespace Moat.Host;

/// <summary>pipe2(2), close-on-exec.</summary>
public static unsafe class HostPipe
{
    /// <summary>Makes a pipe; the caller owns both ends.</summary>
    public static Result<(int Read, int Write)> Create()
    {
        long pair = 0;

        // SAFETY: the kernel writes two ints into the eight bytes on this stack frame.
        Errno errno = HostCall.Invoke(SyscallNumber.pipe2, (nint)(&pair), (int)OpenFlags.O_CLOEXEC).Errno;
        return errno != Errno.None ? errno : ((int)pair, (int)(pair >> 32));
    }
}
