using Moat.Linux;

namespace Moat.Host.Process;

/// <summary>What wait4(2) says of a child or tracee.</summary>
/// <param name="Raw">The status word.</param>
public readonly record struct WaitStatus(int Raw)
{
    /// <summary>WIFEXITED.</summary>
    public bool HasExited => (Raw & 0x7f) == 0;

    /// <summary>WIFSIGNALED.</summary>
    public bool WasKilled => ((sbyte)((Raw & 0x7f) + 1) >> 1) > 0;

    /// <summary>WIFSTOPPED.</summary>
    public bool IsStopped => (Raw & 0xff) == 0x7f;

    /// <summary>WEXITSTATUS.</summary>
    public int ExitCode => (Raw >> 8) & 0xff;

    /// <summary>WTERMSIG.</summary>
    public int TermSignal => Raw & 0x7f;

    /// <summary>WSTOPSIG.</summary>
    public int StopSignal => (Raw >> 8) & 0xff;

    /// <summary>The ptrace event of a stop.</summary>
    public int StopEvent => Raw >> 16;

    /// <summary>Waits for one child or tracee (with __WALL), again after EINTR.</summary>
    /// <param name="pid">A process or thread id.</param>
    /// <param name="options">WNOHANG, WUNTRACED …</param>
    /// <returns>The status; EAGAIN if WNOHANG found nothing; ECHILD.</returns>
    public static unsafe Result<WaitStatus> WaitFor(int pid, int options = 0)
    {
        const int AllChildren = 0x40000000; // __WALL
        int status = 0;
        while (true)
        {
            // SAFETY: the kernel writes one int on this stack frame.
            SyscallResult result = HostCall.Invoke(SyscallNumber.wait4, pid, (nint)(&status), options | AllChildren);
            if (result.IsError)
            {
                if (result.Errno == Errno.EINTR)
                {
                    continue;
                }

                return result.Errno;
            }

            return result.Raw == 0 ? Errno.EAGAIN : new WaitStatus(status);
        }
    }
}
