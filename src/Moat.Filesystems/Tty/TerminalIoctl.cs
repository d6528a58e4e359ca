using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>The requests of ioctl(2) that every terminal answers (ioctl_tty(2)), on either side of a pseudo-terminal.</summary>
internal static class TerminalIoctl
{
    private const int FlushInput = 0; // TCIFLUSH
    private const int FlushOutput = 1; // TCOFLUSH
    private const int FlushBoth = 2; // TCIOFLUSH

    /// <summary>Answers a request made of the terminal itself.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="terminal">The terminal.</param>
    /// <param name="request">The request.</param>
    /// <param name="argument">A number or an address.</param>
    /// <param name="canRead">Whether the description is open for reading.</param>
    public static SyscallResult Run(GuestTask task, Terminal terminal, TerminalRequest request, ulong argument, bool canRead)
    {
        GuestAddress address = new(argument);
        switch (request)
        {
            case TerminalRequest.FIONREAD:
                return task.Memory.Write(address, terminal.BytesReadable);
            case TerminalRequest.TIOCOUTQ:
                return task.Memory.Write(address, terminal.BytesUnsent);
            case TerminalRequest.TIOCEXCL or TerminalRequest.TIOCNXCL:
                terminal.IsExclusive = request == TerminalRequest.TIOCEXCL;
                return SyscallResult.Ok;
            case TerminalRequest.TIOCGEXCL:
                return task.Memory.Write(address, terminal.IsExclusive ? 1 : 0);
            case TerminalRequest.TIOCNOTTY:
                return JobControl.GiveUp(task, terminal);
            case TerminalRequest.TIOCSTI:
                return InsertInput(task, terminal, address);
            case TerminalRequest.TIOCVHANGUP:
                return task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN) ? terminal.HangUpByCall() : Errno.EPERM;
            case TerminalRequest.TCFLSH:
                return AfterCheck(task, terminal) is { IsError: true } refused ? refused
                    : argument is FlushInput or FlushOutput or FlushBoth ? terminal.Flush(argument is FlushInput or FlushBoth, argument is FlushOutput or FlushBoth) : Errno.EINVAL;
            case TerminalRequest.TCXONC:
                return AfterCheck(task, terminal) is { IsError: true } denied ? denied : argument <= (ulong)FlowAction.SendStart ? terminal.ControlFlow((FlowAction)argument) : Errno.EINVAL;
            case TerminalRequest.TIOCGPTPEER:
                return Errno.EIO; // a request of masters
            case TerminalRequest.TIOCSETD:
                return SetDiscipline(task, terminal, address);
            case TerminalRequest.TCSBRK or TerminalRequest.TCSBRKP or TerminalRequest.TIOCSBRK or TerminalRequest.TIOCCBRK:
                return AfterCheck(task, terminal); // nothing to break, and output is sent when it is written
            default:
                return RunShared(task, terminal, request, argument, canRead, fromMaster: false);
        }
    }

    /// <summary>Answers a request that means the terminal from the master's side too.</summary>
    public static SyscallResult RunShared(GuestTask task, Terminal terminal, TerminalRequest request, ulong argument, bool canRead, bool fromMaster)
    {
        GuestAddress address = new(argument);
        switch (request)
        {
            case TerminalRequest.TCGETS or TerminalRequest.TCGETS2:
                Span<byte> bytes = stackalloc byte[request == TerminalRequest.TCGETS ? Termios.ShortSize : Termios.Size];
                terminal.Attributes.Write(bytes);
                return task.Memory.CopyOut(address, bytes);
            case TerminalRequest.TCSETS or TerminalRequest.TCSETSW or TerminalRequest.TCSETSF:
                return SetAttributes(task, terminal, address, stackalloc byte[Termios.ShortSize], request == TerminalRequest.TCSETSF);
            case TerminalRequest.TCSETS2 or TerminalRequest.TCSETSW2 or TerminalRequest.TCSETSF2:
                return SetAttributes(task, terminal, address, stackalloc byte[Termios.Size], request == TerminalRequest.TCSETSF2);
            case TerminalRequest.TIOCGWINSZ:
                return terminal.GetWindowSize().TryGet(out WindowSize size, out Errno errno) ? task.Memory.Write(address, size) : errno;
            case TerminalRequest.TIOCSWINSZ:
                errno = task.Memory.Read(address, out size);
                return errno != Errno.None ? errno : terminal.SetWindowSize(size);
            case TerminalRequest.TIOCSCTTY:
                bool isPrivileged = task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN);
                return JobControl.SetControlling(task, terminal, takesAway: argument == 1 && isPrivileged, mayRead: canRead || isPrivileged);
            case TerminalRequest.TIOCGPGRP:
                return JobControl.GetForeground(task, terminal, fromMaster).TryGet(out int group, out errno) ? task.Memory.Write(address, group) : errno;
            case TerminalRequest.TIOCSPGRP:
                return SetForeground(task, terminal, address);
            case TerminalRequest.TIOCGSID:
                return JobControl.GetSession(task, terminal, fromMaster).TryGet(out int session, out errno) ? task.Memory.Write(address, session) : errno;
            case TerminalRequest.TIOCGDEV:
                return task.Memory.Write(address, (uint)terminal.Device.Value);
            case TerminalRequest.TIOCGETD:
                return task.Memory.Write(address, 0); // N_TTY
            default:
                return Errno.ENOTTY;
        }
    }

    private static SyscallResult AfterCheck(GuestTask task, Terminal terminal) => JobControl.Check(task, terminal, Signal.SIGTTOU);

    private static SyscallResult SetAttributes(GuestTask task, Terminal terminal, GuestAddress address, Span<byte> bytes, bool flushesInput)
    {
        Errno errno = JobControl.Check(task, terminal, Signal.SIGTTOU);
        if (errno == Errno.None)
        {
            errno = task.Memory.CopyIn(address, bytes);
        }

        return errno != Errno.None ? errno : terminal.SetAttributes(task, Termios.Read(bytes), flushesInput);
    }

    private static SyscallResult SetForeground(GuestTask task, Terminal terminal, GuestAddress address)
    {
        Errno errno = JobControl.Check(task, terminal, Signal.SIGTTOU);
        if (errno != Errno.None)
        {
            return errno == Errno.EIO ? Errno.ENOTTY : errno;
        }

        errno = task.Memory.Read(address, out int group);
        return errno != Errno.None ? errno : group < 0 ? Errno.EINVAL : JobControl.SetForeground(task, terminal, group);
    }

    // N_TTY is the only discipline there is.
    private static SyscallResult SetDiscipline(GuestTask task, Terminal terminal, GuestAddress address)
    {
        Errno errno = task.Memory.Read(address, out int discipline);
        errno = errno == Errno.None ? JobControl.Check(task, terminal, Signal.SIGTTOU) : errno;
        return errno != Errno.None ? errno : discipline == 0 ? SyscallResult.Ok : Errno.EINVAL;
    }

    // As Linux is built today (LEGACY_TIOCSTI off): only the administrator of a sandbox may.
    private static SyscallResult InsertInput(GuestTask task, Terminal terminal, GuestAddress address)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return Errno.EIO;
        }

        Errno errno = task.Memory.Read(address, out byte character);
        return errno != Errno.None ? errno : terminal.InsertInput(character);
    }
}
