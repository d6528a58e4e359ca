using Moat.Host.Process;
using Moat.Host.Seccomp;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Sentry;

/// <summary>The Sentry's seccomp filter: what the kernel, the platform and the runtime need of the host once everything is open. No file is opened, no socket made, no program executed,
/// no memory made executable: a guest that takes the Sentry over has these calls and the descriptors that it was given.</summary>
internal static class SentryFilter
{
    /// <summary>Makes the filter.</summary>
    /// <param name="controlFd">The control socket, the only one that connections are taken from.</param>
    /// <param name="usesHostNetwork">Whether sockets of the guest are the host's (--network=host).</param>
    public static SeccompFilter Create(int controlFd, bool usesHostNetwork) => usesHostNetwork ? Create(controlFd).AllowInternetSockets() : Create(controlFd);

    private static SeccompFilter Create(int controlFd) => new SeccompFilter()

        // Hot ones first.
        .AllowPtrace()
        .Allow(SyscallNumber.wait4, SyscallNumber.futex)

        // Descriptors that it holds.
        .Allow(
            SyscallNumber.read, SyscallNumber.write, SyscallNumber.readv, SyscallNumber.writev, SyscallNumber.pread64, SyscallNumber.pwrite64, SyscallNumber.preadv, SyscallNumber.pwritev, SyscallNumber.preadv2, SyscallNumber.pwritev2,
            SyscallNumber.fstat, SyscallNumber.lseek, SyscallNumber.close, SyscallNumber.ftruncate, SyscallNumber.fallocate, SyscallNumber.fsync, SyscallNumber.fdatasync, SyscallNumber.eventfd2,
            SyscallNumber.sendmsg, SyscallNumber.recvmsg, SyscallNumber.shutdown)
        .AllowIf(SyscallNumber.recvmmsg, 3, uint.MaxValue, 0x10000) // MSG_WAITFORONE: frames, as is the next
        .AllowIf(SyscallNumber.sendmmsg, 3, uint.MaxValue, 0x4040) // MSG_DONTWAIT | MSG_NOSIGNAL
        .AllowIf(SyscallNumber.newfstatat, 3, 0x1000, 0x1000) // AT_EMPTY_PATH: of a descriptor
        .AllowIf(SyscallNumber.accept4, 0, uint.MaxValue, (uint)controlFd)
        .AllowIf(SyscallNumber.fcntl, 1, uint.MaxValue, 3) // F_GETFL
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TCGETS2)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TCSETS2)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TCSETSF2)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TCFLSH)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TCXONC)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TIOCOUTQ)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TIOCGWINSZ)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, (uint)TerminalRequest.TIOCSWINSZ)
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, 0x5401) // TCGETS
        .AllowIf(SyscallNumber.ioctl, 1, uint.MaxValue, 0x541b) // FIONREAD

        // Stubs; the pid namespace holds nothing else.
        .Allow(SyscallNumber.kill, SyscallNumber.tgkill, SyscallNumber.sched_setaffinity)
        .AllowRuntime();

    // Sockets of the two internet families alone, and what is done with them.
    private static SeccompFilter AllowInternetSockets(this SeccompFilter filter) => filter
        .AllowIf(SyscallNumber.socket, 0, uint.MaxValue, (uint)Sockets.AddressFamily.AF_INET)
        .AllowIf(SyscallNumber.socket, 0, uint.MaxValue, (uint)Sockets.AddressFamily.AF_INET6)
        .AllowIf(SyscallNumber.accept4, 3, uint.MaxValue, 0x80800) // SOCK_NONBLOCK | SOCK_CLOEXEC
        .Allow(
            SyscallNumber.bind, SyscallNumber.connect, SyscallNumber.listen, SyscallNumber.getsockname, SyscallNumber.getpeername, SyscallNumber.getsockopt, SyscallNumber.setsockopt,
            SyscallNumber.epoll_ctl, SyscallNumber.epoll_wait);

    // Those that the platform makes: memory of a stub is changed by orders, never by PTRACE_POKEDATA.
    private static SeccompFilter AllowPtrace(this SeccompFilter filter)
    {
        foreach (int request in Ptrace.Requests)
        {
            filter.AllowIf(SyscallNumber.ptrace, 0, uint.MaxValue, (uint)request);
        }

        return filter;
    }
}
