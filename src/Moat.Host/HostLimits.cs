using Moat.Linux;

namespace Moat.Host;

/// <summary>Resource limits of the calling process (getrlimit(2)).</summary>
public static unsafe class HostLimits
{
    /// <summary>Reads one.</summary>
    /// <param name="resource">RLIMIT_*.</param>
    public static Result<(ulong Soft, ulong Hard)> Get(int resource)
    {
        ulong* limit = stackalloc ulong[2];

        // SAFETY: the kernel writes one struct rlimit64 on this stack frame.
        Errno errno = HostCall.Invoke(SyscallNumber.prlimit64, 0, resource, 0, (nint)limit).Errno;
        return errno != Errno.None ? errno : (limit[0], limit[1]);
    }
}
