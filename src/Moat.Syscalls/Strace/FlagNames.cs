using System.Text;

namespace Moat.Syscalls.Strace;

/// <summary>Names for the bits of one kind of flags; what has no name is shown as a hexadecimal rest.</summary>
internal sealed class FlagNames(string whenZero, params (ulong Bits, string Name)[] names)
{
    /// <summary>mmap(2), mprotect(2).</summary>
    public static readonly FlagNames Protection = new("PROT_NONE", (1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (0x01000000, "PROT_GROWSDOWN"), (0x02000000, "PROT_GROWSUP"));

    /// <summary>mmap(2).</summary>
    public static readonly FlagNames Map = new(
        "0", (3, "MAP_SHARED_VALIDATE"), (1, "MAP_SHARED"), (2, "MAP_PRIVATE"), (0x10, "MAP_FIXED"), (0x20, "MAP_ANONYMOUS"), (0x40, "MAP_32BIT"), (0x100, "MAP_GROWSDOWN"),
        (0x800, "MAP_DENYWRITE"), (0x1000, "MAP_EXECUTABLE"), (0x2000, "MAP_LOCKED"), (0x4000, "MAP_NORESERVE"), (0x8000, "MAP_POPULATE"), (0x10000, "MAP_NONBLOCK"),
        (0x20000, "MAP_STACK"), (0x40000, "MAP_HUGETLB"), (0x80000, "MAP_SYNC"), (0x100000, "MAP_FIXED_NOREPLACE"));

    /// <summary>clone(2), without the exit signal.</summary>
    public static readonly FlagNames Clone = new(
        "0", (0x100, "CLONE_VM"), (0x200, "CLONE_FS"), (0x400, "CLONE_FILES"), (0x800, "CLONE_SIGHAND"), (0x1000, "CLONE_PIDFD"), (0x2000, "CLONE_PTRACE"), (0x4000, "CLONE_VFORK"),
        (0x8000, "CLONE_PARENT"), (0x10000, "CLONE_THREAD"), (0x20000, "CLONE_NEWNS"), (0x40000, "CLONE_SYSVSEM"), (0x80000, "CLONE_SETTLS"), (0x100000, "CLONE_PARENT_SETTID"),
        (0x200000, "CLONE_CHILD_CLEARTID"), (0x400000, "CLONE_DETACHED"), (0x800000, "CLONE_UNTRACED"), (0x1000000, "CLONE_CHILD_SETTID"), (0x2000000, "CLONE_NEWCGROUP"),
        (0x4000000, "CLONE_NEWUTS"), (0x8000000, "CLONE_NEWIPC"), (0x10000000, "CLONE_NEWUSER"), (0x20000000, "CLONE_NEWPID"), (0x40000000, "CLONE_NEWNET"), (0x80000000, "CLONE_IO"));

    /// <summary>open(2), without the access mode.</summary>
    public static readonly FlagNames Open = new(
        "", (0x410000, "O_TMPFILE"), (0x101000, "O_SYNC"), (0x40, "O_CREAT"), (0x80, "O_EXCL"), (0x100, "O_NOCTTY"), (0x200, "O_TRUNC"), (0x400, "O_APPEND"), (0x800, "O_NONBLOCK"),
        (0x1000, "O_DSYNC"), (0x2000, "FASYNC"), (0x4000, "O_DIRECT"), (0x8000, "O_LARGEFILE"), (0x10000, "O_DIRECTORY"), (0x20000, "O_NOFOLLOW"), (0x40000, "O_NOATIME"),
        (0x80000, "O_CLOEXEC"), (0x200000, "O_PATH"));

    /// <summary>poll(2).</summary>
    public static readonly FlagNames Poll = new(
        "0", (1, "POLLIN"), (2, "POLLPRI"), (4, "POLLOUT"), (8, "POLLERR"), (0x10, "POLLHUP"), (0x20, "POLLNVAL"), (0x40, "POLLRDNORM"), (0x80, "POLLRDBAND"), (0x100, "POLLWRNORM"),
        (0x200, "POLLWRBAND"), (0x2000, "POLLRDHUP"));

    /// <summary>epoll_ctl(2).</summary>
    public static readonly FlagNames Epoll = new(
        "0", (1, "EPOLLIN"), (2, "EPOLLPRI"), (4, "EPOLLOUT"), (8, "EPOLLERR"), (0x10, "EPOLLHUP"), (0x40, "EPOLLRDNORM"), (0x100, "EPOLLWRNORM"), (0x2000, "EPOLLRDHUP"),
        (1u << 28, "EPOLLEXCLUSIVE"), (1u << 29, "EPOLLWAKEUP"), (1u << 30, "EPOLLONESHOT"), (1u << 31, "EPOLLET"));

    /// <summary>sigaction(2).</summary>
    public static readonly FlagNames SignalAction = new(
        "0", (1, "SA_NOCLDSTOP"), (2, "SA_NOCLDWAIT"), (4, "SA_SIGINFO"), (0x04000000, "SA_RESTORER"), (0x08000000, "SA_ONSTACK"), (0x10000000, "SA_RESTART"), (0x40000000, "SA_NODEFER"),
        (0x80000000, "SA_RESETHAND"));

    /// <summary>access(2).</summary>
    public static readonly FlagNames Access = new("F_OK", (4, "R_OK"), (2, "W_OK"), (1, "X_OK"));

    /// <summary>newfstatat(2), unlinkat(2) and their kind.</summary>
    public static readonly FlagNames At = new(
        "0", (0x100, "AT_SYMLINK_NOFOLLOW"), (0x200, "AT_REMOVEDIR"), (0x400, "AT_SYMLINK_FOLLOW"), (0x800, "AT_NO_AUTOMOUNT"), (0x1000, "AT_EMPTY_PATH"), (0x2000, "AT_STATX_FORCE_SYNC"),
        (0x4000, "AT_STATX_DONT_SYNC"));

    /// <summary>wait4(2).</summary>
    public static readonly FlagNames Wait = new(
        "0", (1, "WNOHANG"), (2, "WSTOPPED"), (4, "WEXITED"), (8, "WCONTINUED"), (0x01000000, "WNOWAIT"), (0x20000000, "__WNOTHREAD"), (0x40000000, "__WALL"), (0x80000000, "__WCLONE"));

    /// <summary>Writes the names joined by bars.</summary>
    public void Append(StringBuilder text, ulong value)
    {
        if (value == 0)
        {
            text.Append(whenZero);
            return;
        }

        bool first = true;
        foreach ((ulong bits, string name) in names)
        {
            if ((value & bits) != bits)
            {
                continue;
            }

            text.Append(first ? "" : "|").Append(name);
            value &= ~bits;
            first = false;
        }

        if (value != 0)
        {
            text.Append(first ? "" : "|").Append("0x").AppendFormat("{0:x}", value);
        }
    }
}
