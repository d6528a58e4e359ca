using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>A terminal as the programs on it see it: a pseudo-terminal's slave, or a terminal of the host. What all have in common is here, in <see cref="TerminalDescription"/>
/// and in <see cref="TerminalIoctl"/>; a kind of terminal says where bytes and settings are.</summary>
/// <param name="kernel">The kernel it is in.</param>
/// <param name="index">Its number in /dev/pts.</param>
public abstract class Terminal(SentryKernel kernel, int index) : ITerminal
{
    /// <summary>The major number of the devices in /dev/pts.</summary>
    public const uint SlaveMajor = 136;

    private int _opens;
    private int _hangUps;

    /// <inheritdoc/>
    public ProcessGroup? ForegroundGroup { get; set; }

    /// <inheritdoc/>
    public Session? Session { get; set; }

    /// <inheritdoc/>
    public DeviceNumber Device => new(SlaveMajor, (uint)index);

    /// <summary>Its number in /dev/pts.</summary>
    public int Index => index;

    /// <summary>TIOCEXCL: only the privileged may open it.</summary>
    internal bool IsExclusive { get; set; }

    /// <summary>How often it has hung up: descriptions opened before are dead.</summary>
    internal int HangUps => Volatile.Read(ref _hangUps);

    /// <summary>How many descriptions are open.</summary>
    internal int Opens => Volatile.Read(ref _opens);

    /// <summary>The settings.</summary>
    internal abstract Termios Attributes { get; }

    /// <summary>The kernel it is in.</summary>
    protected SentryKernel Kernel => kernel;

    /// <inheritdoc/>
    public virtual void OnReleased()
    {
    }

    /// <summary>open(2).</summary>
    /// <returns>EBUSY while it is exclusively somebody's; EIO where there is no other side.</returns>
    internal Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        Errno errno = IsExclusive && !task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN) ? Errno.EBUSY : CheckOpen();
        if (errno != Errno.None)
        {
            return errno;
        }

        TerminalDescription opened = new(this, location.Inode, flags, location);
        if ((flags & OpenFlags.O_NOCTTY) == 0 && opened.CanRead)
        {
            JobControl.OnOpen(task, this);
        }

        return opened;
    }

    /// <summary>A description was made.</summary>
    internal void AddOpen()
    {
        if (Interlocked.Increment(ref _opens) == 1)
        {
            OnFirstOpen();
        }
    }

    /// <summary>A description was closed.</summary>
    internal void RemoveOpen()
    {
        if (Interlocked.Decrement(ref _opens) == 0)
        {
            OnLastClose();
        }
    }

    /// <summary>Hangs up: whoever has it open has it no more, and the session loses it.</summary>
    public void HangUp()
    {
        Interlocked.Increment(ref _hangUps);
        JobControl.HangUp(kernel, this);
        NotifyHangUp();
    }

    /// <summary>Reads what is there: a line at most in canonical mode.</summary>
    /// <returns>The count, 0 for an end of file; EAGAIN when nothing is there; EIO when the other side has gone.</returns>
    internal abstract SyscallResult TryRead(GuestTask task, ref IoBuffer destination);

    /// <summary>Writes what fits.</summary>
    /// <returns>The count; EAGAIN when nothing fits; EIO when the other side has gone.</returns>
    internal abstract SyscallResult TryWrite(ref IoBuffer source);

    /// <summary>What is ready.</summary>
    /// <param name="wanted">The events to look for.</param>
    /// <param name="countsMinimum">Whether VMIN counts, as for poll(2), or any byte is enough.</param>
    internal abstract PollEvents Readiness(PollEvents wanted, bool countsMinimum);

    /// <summary>As <see cref="IWaitable.AddWaiter"/>.</summary>
    internal abstract void AddWaiter(WaitEntry entry);

    /// <summary>As <see cref="IWaitable.RemoveWaiter"/>.</summary>
    internal abstract void RemoveWaiter(WaitEntry entry);

    /// <summary>TCSETS and its kin; the caller has passed <see cref="JobControl.Check"/>.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="termios">The settings.</param>
    /// <param name="flushesInput">TCSETSF.</param>
    internal abstract Errno SetAttributes(GuestTask task, Termios termios, bool flushesInput);

    /// <summary>TIOCGWINSZ.</summary>
    internal abstract Result<WindowSize> GetWindowSize();

    /// <summary>TIOCSWINSZ: a change is told to the foreground group.</summary>
    internal abstract Errno SetWindowSize(WindowSize size);

    /// <summary>FIONREAD.</summary>
    internal abstract int BytesReadable { get; }

    /// <summary>TIOCOUTQ.</summary>
    internal abstract int BytesUnsent { get; }

    /// <summary>TCFLSH.</summary>
    internal abstract Errno Flush(bool input, bool output);

    /// <summary>TCXONC; the action is checked.</summary>
    internal abstract Errno ControlFlow(FlowAction action);

    /// <summary>TIOCSTI by somebody who may.</summary>
    internal abstract Errno InsertInput(byte character);

    /// <summary>TIOCVHANGUP by somebody who may.</summary>
    internal virtual Errno HangUpByCall()
    {
        HangUp();
        return Errno.None;
    }

    /// <summary>Whether it can be opened now.</summary>
    private protected virtual Errno CheckOpen() => Errno.None;

    /// <summary>The first description was made.</summary>
    private protected virtual void OnFirstOpen()
    {
    }

    /// <summary>The last description was closed.</summary>
    private protected virtual void OnLastClose()
    {
    }

    /// <summary>Wakes everybody after a hang-up.</summary>
    private protected abstract void NotifyHangUp();
}
