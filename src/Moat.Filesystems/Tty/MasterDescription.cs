using System.Globalization;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>An open master of a pseudo-terminal; when it is closed, the terminal hangs up.</summary>
internal sealed class MasterDescription(PseudoTerminal terminal, PathLocation slaves, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    /// <inheritdoc/>
    public override Inode Inode => Location!.Value.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool SignalsReadiness => true;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => terminal.ReadForMaster(ref destination);

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset) => terminal.WriteFromMaster(ref source);

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        const int FlushBoth = 2; // TCIOFLUSH
        GuestAddress address = new(argument);
        Errno errno;
        int number;
        switch ((TerminalRequest)request)
        {
            case TerminalRequest.TIOCGPTN:
                return task.Memory.Write(address, terminal.Index);
            case TerminalRequest.TIOCSPTLCK:
                errno = task.Memory.Read(address, out number);
                terminal.IsLocked = errno == Errno.None ? number != 0 : terminal.IsLocked;
                return errno;
            case TerminalRequest.TIOCGPTLCK:
                return task.Memory.Write(address, terminal.IsLocked ? 1 : 0);
            case TerminalRequest.TIOCPKT:
                errno = task.Memory.Read(address, out number);
                terminal.IsPacketMode = errno == Errno.None ? number != 0 : terminal.IsPacketMode;
                return errno;
            case TerminalRequest.TIOCGPKT:
                return task.Memory.Write(address, terminal.IsPacketMode ? 1 : 0);
            case TerminalRequest.TIOCSIG:
                return SendSignal(task, argument);
            case TerminalRequest.TIOCGPTPEER:
                return OpenPeer(task, (OpenFlags)(uint)argument);
            case TerminalRequest.FIONREAD:
                return task.Memory.Write(address, terminal.BytesForMaster);
            case TerminalRequest.TIOCOUTQ:
                return task.Memory.Write(address, 0);
            case TerminalRequest.TCFLSH:
                if (argument > FlushBoth)
                {
                    return Errno.EINVAL;
                }

                terminal.FlushForMaster(argument is 0 or FlushBoth, argument is 1 or FlushBoth);
                return SyscallResult.Ok;
            case TerminalRequest.TCSBRK or TerminalRequest.TCSBRKP:
                return SyscallResult.Ok;
            default:
                return TerminalIoctl.RunShared(task, terminal, (TerminalRequest)request, argument, CanRead, fromMaster: true);
        }
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => terminal.MasterReadiness() & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => terminal.MasterWaiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => terminal.MasterWaiters.Remove(entry);

    /// <inheritdoc/>
    protected override void OnLastClose() => terminal.CloseMaster();

    private SyscallResult SendSignal(GuestTask task, ulong argument)
    {
        if ((Signal)argument is not (Signal.SIGINT or Signal.SIGQUIT or Signal.SIGTSTP))
        {
            return Errno.EINVAL;
        }

        JobControl.SendToForeground(task.Kernel, terminal, SignalSet.Of((Signal)argument));
        return SyscallResult.Ok;
    }

    // The slave in the instance that the master is of, whatever the caller has at /dev/pts.
    private SyscallResult OpenPeer(GuestTask task, OpenFlags flags)
    {
        Span<byte> name = stackalloc byte[11];
        terminal.Index.TryFormat(name, out int length, provider: CultureInfo.InvariantCulture);
        if (!PathWalker.Resolve(task, slaves, name[..length], WalkFlags.None).TryGet(out PathLocation slave, out Errno errno)
            || !terminal.Open(task, slave, flags).TryGet(out FileDescription? opened, out errno))
        {
            return errno;
        }

        bool closesOnExec = (flags & OpenFlags.O_CLOEXEC) != 0;
        return task.Files.Install(opened, closesOnExec, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out errno) ? fd : errno;
    }
}
