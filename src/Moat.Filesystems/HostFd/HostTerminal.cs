using Moat.Filesystems.Tty;
using Moat.Host;
using Moat.Host.Terminals;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.HostFd;

/// <summary>A terminal of the host that the sandbox was given. Bytes, settings and echo are the host's, whose line discipline stays in front of whoever types; sessions, groups and job control are the
/// sandbox's (docs/decisions/0006-host-terminals.md). Signals that are typed reach the host's process that stands for the sandbox and are handed on to the foreground group here.</summary>
internal sealed class HostTerminal : Terminal
{
    private const int Chunk = 4096;

    private readonly HostWatch _watch;
    private readonly IReadOnlyList<int> _fds;
    private readonly int _readFd;
    private readonly int _writeFd;
    private readonly bool _neverBlocks;
    private readonly Action<int> _onGone;
    private int _isGone;

    /// <summary>Takes a terminal over.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="poller">Waits on the host.</param>
    /// <param name="index">Its number in the sandbox.</param>
    /// <param name="fds">The host's descriptors of it; closed with it.</param>
    /// <param name="onGone">Told of its number when nobody can use it any more.</param>
    public HostTerminal(SentryKernel kernel, HostPoller poller, int index, IReadOnlyList<int> fds, Action<int> onGone)
        : base(kernel, index)
    {
        _fds = fds;
        _onGone = onGone;
        _readFd = Choose(fds, OpenFlags.O_WRONLY);
        _writeFd = Choose(fds, OpenFlags.O_RDONLY);
        _watch = new HostWatch(poller, _readFd);
        _neverBlocks = fds.All(static fd => HostFile.GetStatusFlags(fd).TryGet(out OpenFlags flags, out _) && (flags & OpenFlags.O_NONBLOCK) != 0);
    }

    /// <inheritdoc/>
    internal override Termios Attributes => HostTerminalSettings.Get(_readFd).TryGet(out Termios termios, out _) ? termios : Termios.Default;

    /// <inheritdoc/>
    internal override int BytesReadable => HostTerminalSettings.Count(_readFd, TerminalRequest.FIONREAD);

    /// <inheritdoc/>
    internal override int BytesUnsent => HostTerminalSettings.Count(_writeFd, TerminalRequest.TIOCOUTQ);

    /// <inheritdoc/>
    public override void OnReleased()
    {
        if (Opens == 0)
        {
            Dispose();
        }
    }

    /// <inheritdoc/>
    internal override SyscallResult TryRead(GuestTask task, ref IoBuffer destination)
    {
        // Asked first though the description does not block: with VMIN 0 the host answers 0 bytes, which would look like an end.
        if ((_watch.Poll(PollEvents.Readable) & (PollEvents.Readable | PollEvents.POLLHUP | PollEvents.POLLERR)) == 0 && BytesReadable == 0)
        {
            return Errno.EAGAIN;
        }

        Span<byte> chunk = stackalloc byte[(int)Math.Min(Chunk, destination.Length)];
        SyscallResult result = HostFile.Read(_readFd, chunk);
        if (result.IsError || result.Raw == 0)
        {
            return result;
        }

        return destination.CopyFrom(chunk[..(int)result.Raw]).TryGet(out int copied, out Errno errno) ? copied : errno;
    }

    /// <inheritdoc/>
    internal override SyscallResult TryWrite(ref IoBuffer source) =>
        !_neverBlocks && (HostFile.Poll(_writeFd, PollEvents.Writable, 0) & (PollEvents.Writable | PollEvents.POLLHUP | PollEvents.POLLERR)) == 0
            ? Errno.EAGAIN : HostTransfer.Write(ref source, _writeFd, _neverBlocks ? Chunk * 4 : 1);

    /// <inheritdoc/>
    internal override PollEvents Readiness(PollEvents wanted, bool countsMinimum) => _watch.Poll(wanted);

    /// <inheritdoc/>
    internal override void AddWaiter(WaitEntry entry) => _watch.Add(entry);

    /// <inheritdoc/>
    internal override void RemoveWaiter(WaitEntry entry) => _watch.Remove(entry);

    /// <inheritdoc/>
    internal override Errno SetAttributes(GuestTask task, Termios termios, bool flushesInput) => HostTerminalSettings.Set(_readFd, termios, flushesInput);

    /// <inheritdoc/>
    internal override Result<WindowSize> GetWindowSize() => HostTerminalSettings.GetSize(_readFd);

    /// <inheritdoc/>
    internal override Errno SetWindowSize(WindowSize size)
    {
        bool changes = !HostTerminalSettings.GetSize(_readFd).TryGet(out WindowSize old, out _) || old != size;
        Errno errno = HostTerminalSettings.SetSize(_readFd, size);
        if (errno == Errno.None && changes)
        {
            JobControl.SendToForeground(Kernel, this, SignalSet.Of(Signal.SIGWINCH));
        }

        return errno;
    }

    /// <inheritdoc/>
    internal override Errno Flush(bool input, bool output) =>
        HostTerminalSettings.Request(_readFd, TerminalRequest.TCFLSH, input && output ? 2 : output ? 1 : 0);

    /// <inheritdoc/>
    internal override Errno ControlFlow(FlowAction action) => HostTerminalSettings.Request(_writeFd, TerminalRequest.TCXONC, (int)action);

    /// <inheritdoc/>
    /// <remarks>Never: it would type on the host, into whatever reads there next.</remarks>
    internal override Errno InsertInput(byte character) => Errno.EIO;

    /// <inheritdoc/>
    private protected override void OnLastClose()
    {
        lock (Kernel.TaskLock)
        {
            if (Session is null && Opens == 0)
            {
                Dispose();
            }
        }
    }

    /// <inheritdoc/>
    private protected override void NotifyHangUp() => _watch.Notify(PollEvents.Readable | PollEvents.Writable | PollEvents.POLLHUP);

    private void Dispose()
    {
        if (Interlocked.Exchange(ref _isGone, 1) == 0)
        {
            _onGone(Index);
            foreach (int fd in _fds)
            {
                HostMemory.Close(fd);
            }
        }
    }

    private static int Choose(IReadOnlyList<int> fds, OpenFlags unfit)
    {
        foreach (int fd in fds)
        {
            if (HostFile.GetStatusFlags(fd).TryGet(out OpenFlags flags, out _) && (flags & OpenFlags.O_ACCMODE) != unfit)
            {
                return fd;
            }
        }

        return fds[0];
    }
}
