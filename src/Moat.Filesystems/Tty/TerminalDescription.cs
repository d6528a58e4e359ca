using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>An open terminal: reads with VMIN and VTIME, job control, hang-up.</summary>
internal sealed class TerminalDescription : FileDescription
{
    private const PollEvents Dead = PollEvents.Readable | PollEvents.Writable | PollEvents.POLLERR | PollEvents.POLLHUP;
    private const long NanosecondsPerTenth = 100_000_000;

    private readonly Terminal _terminal;
    private readonly Inode _inode;
    private readonly int _hangUps;
    private readonly AnyInput _anyInput;

    /// <summary>Opens a terminal.</summary>
    public TerminalDescription(Terminal terminal, Inode inode, OpenFlags flags, PathLocation? location)
        : base(flags, location)
    {
        _terminal = terminal;
        _inode = inode;
        _hangUps = terminal.HangUps;
        _anyInput = new AnyInput(this);
        terminal.AddOpen();
    }

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <inheritdoc/>
    public override string AnonymousName => $"/dev/pts/{_terminal.Index}";

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool SignalsReadiness => true;

    /// <summary>The terminal.</summary>
    public Terminal Terminal => _terminal;

    private bool IsHungUp => _terminal.HangUps != _hangUps;

    /// <inheritdoc/>
    /// <remarks>Waits itself, unlike other files: what has been read counts towards VMIN, and VTIME limits each wait.</remarks>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (IsHungUp)
        {
            return 0;
        }

        Errno errno = JobControl.Check(task, _terminal, Signal.SIGTTIN);
        if (errno != Errno.None || destination.IsEmpty)
        {
            return errno;
        }

        Termios termios = _terminal.Attributes;
        bool isCanonical = termios.Has(LocalModes.ICANON) && !termios.Has(LocalModes.EXTPROC);
        int minimum = isCanonical ? 1 : termios[ControlCharacter.VMIN];
        long timeNs = isCanonical ? 0 : termios[ControlCharacter.VTIME] * NanosecondsPerTenth;
        long deadline = minimum == 0 ? task.Kernel.Clock.MonotonicNs + timeNs : long.MaxValue;
        long done = 0;
        while (true)
        {
            SyscallResult part = _terminal.TryRead(task, ref destination);
            if (!part.IsError)
            {
                done += part.Raw;
                if (isCanonical || done >= minimum || destination.IsEmpty)
                {
                    return done;
                }

                deadline = timeNs > 0 ? task.Kernel.Clock.MonotonicNs + timeNs : deadline;
            }
            else if (part.Errno != Errno.EAGAIN)
            {
                return done > 0 ? done : part;
            }

            if (IsHungUp)
            {
                return done > 0 ? done : Errno.EIO;
            }

            bool waits = minimum > 0 || timeNs > 0;
            errno = !waits ? Errno.ETIMEDOUT : IsNonBlocking ? Errno.EAGAIN : task.WaitFor(_anyInput, PollEvents.Readable, deadline);
            if (errno != Errno.None)
            {
                return done > 0 || errno == Errno.ETIMEDOUT ? done : errno;
            }
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (IsHungUp)
        {
            return Errno.EIO;
        }

        // Looked at without the lock: only a background group pays for asking.
        if (_terminal.ForegroundGroup != task.ThreadGroup.ProcessGroup && _terminal.Attributes.Has(LocalModes.TOSTOP))
        {
            Errno errno = JobControl.Check(task, _terminal, Signal.SIGTTOU);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return source.IsEmpty ? 0 : _terminal.TryWrite(ref source);
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) =>
        IsHungUp ? ((TerminalRequest)request == TerminalRequest.TIOCSPGRP ? Errno.ENOTTY : Errno.EIO)
            : TerminalIoctl.Run(task, _terminal, (TerminalRequest)request, argument, CanRead);

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents told = mask | PollEvents.POLLERR | PollEvents.POLLHUP;
        return IsHungUp ? Dead & told : _terminal.Readiness(mask, countsMinimum: true) & told;
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _terminal.AddWaiter(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _terminal.RemoveWaiter(entry);

    /// <inheritdoc/>
    protected override void OnLastClose() => _terminal.RemoveOpen();

    // What a reader in the middle of VMIN bytes waits for.
    private sealed class AnyInput(TerminalDescription description) : IWaitable
    {
        public PollEvents Readiness(PollEvents mask) =>
            description.IsHungUp ? PollEvents.POLLHUP : description._terminal.Readiness(mask, countsMinimum: false) & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);

        public void AddWaiter(WaitEntry entry) => description.AddWaiter(entry);

        public void RemoveWaiter(WaitEntry entry) => description.RemoveWaiter(entry);
    }
}
