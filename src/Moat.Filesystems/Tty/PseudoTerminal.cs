using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>A pseudo-terminal (pty(7)): a line discipline between the programs on the slave and whoever holds the master.</summary>
internal sealed class PseudoTerminal : Terminal
{
    private const int IncomingCapacity = 8192; // what Linux holds before the discipline takes it
    private const int Chunk = 4096;
    private const byte XonCharacter = 0x11;
    private const byte XoffCharacter = 0x13;

    private readonly Lock _lock = new();
    private readonly LineDiscipline _discipline = new(); // guarded by _lock
    private readonly ByteRing _incoming = new(IncomingCapacity); // guarded by _lock: written by the master, not yet taken by the discipline
    private readonly Action<int> _onMasterClosed;
    private WindowSize _size; // guarded by _lock
    private PacketStatus _status; // guarded by _lock
    private bool _isPacketMode; // guarded by _lock
    private volatile bool _isSlaveClosed; // it was open and is no more
    private volatile bool _isMasterClosed;

    /// <summary>Makes one, locked, with a master.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="index">Its number.</param>
    /// <param name="onMasterClosed">Told of its number when the master has gone.</param>
    public PseudoTerminal(SentryKernel kernel, int index, Action<int> onMasterClosed)
        : base(kernel, index) => _onMasterClosed = onMasterClosed;

    /// <summary>Who waits on the slave's side.</summary>
    public WaitQueue SlaveWaiters { get; } = new();

    /// <summary>Who waits on the master's side.</summary>
    public WaitQueue MasterWaiters { get; } = new();

    /// <summary>TIOCSPTLCK: the slave cannot be opened.</summary>
    public bool IsLocked { get; set; } = true;

    /// <summary>TIOCPKT.</summary>
    public bool IsPacketMode
    {
        get
        {
            lock (_lock)
            {
                return _isPacketMode;
            }
        }

        set
        {
            lock (_lock)
            {
                _status = value && !_isPacketMode ? PacketStatus.None : _status;
                _isPacketMode = value;
            }
        }
    }

    /// <summary>How many bytes the master can read.</summary>
    public int BytesForMaster
    {
        get
        {
            lock (_lock)
            {
                return _discipline.Output.Count;
            }
        }
    }

    /// <inheritdoc/>
    internal override Termios Attributes
    {
        get
        {
            lock (_lock)
            {
                return _discipline.Termios;
            }
        }
    }

    /// <inheritdoc/>
    internal override int BytesReadable
    {
        get
        {
            lock (_lock)
            {
                return _discipline.BytesReadable;
            }
        }
    }

    /// <inheritdoc/>
    internal override int BytesUnsent => 0; // a pseudo-terminal sends at once

    /// <summary>A read of the master.</summary>
    /// <returns>EAGAIN while there is nothing; EIO once the slave has been closed.</returns>
    public SyscallResult ReadForMaster(ref IoBuffer destination)
    {
        if (destination.IsEmpty)
        {
            return 0;
        }

        Span<byte> chunk = stackalloc byte[Chunk];
        int length = 0;
        lock (_lock)
        {
            if (_isPacketMode)
            {
                chunk[length++] = (byte)_status; // or 0, which says that data follows
            }

            bool tellsStatus = _isPacketMode && _status != 0;
            int wanted = (int)Math.Min(chunk.Length, destination.Length) - length;
            int count = tellsStatus ? 0 : _discipline.Output.Take(chunk.Slice(length, wanted));
            if (count == 0 && !tellsStatus && (wanted > 0 || _discipline.Output.Count == 0))
            {
                return _isSlaveClosed ? Errno.EIO : Errno.EAGAIN;
            }

            _status = tellsStatus ? PacketStatus.None : _status;
            length += count;
            _discipline.Output.ProcessEchoes(_discipline.Termios);
        }

        SlaveWaiters.Notify(PollEvents.Writable);
        return destination.CopyFrom(chunk[..length]).TryGet(out int copied, out Errno errno) ? copied : errno;
    }

    /// <summary>A write of the master: typing.</summary>
    /// <returns>EAGAIN when nothing fits.</returns>
    public SyscallResult WriteFromMaster(ref IoBuffer source)
    {
        Span<byte> chunk = stackalloc byte[Chunk];
        long done = 0;
        while (!source.IsEmpty)
        {
            int room;
            lock (_lock)
            {
                room = Math.Min(chunk.Length, _incoming.Room);
            }

            if (room == 0)
            {
                return done > 0 ? done : Errno.EAGAIN;
            }

            IoBuffer ahead = source;
            if (!ahead.CopyTo(chunk[..(int)Math.Min(room, source.Length)]).TryGet(out int count, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            int used = Type(chunk[..count]);
            source.Advance(used);
            done += used;
        }

        return done;
    }

    /// <summary>What the master can do now.</summary>
    public PollEvents MasterReadiness()
    {
        lock (_lock)
        {
            bool tells = _isPacketMode && _status != 0;
            return (_discipline.Output.Count > 0 || tells ? PollEvents.Readable : 0)
                | (tells ? PollEvents.POLLPRI : 0)
                | (_incoming.Room > 0 ? PollEvents.Writable : 0)
                | (_isSlaveClosed ? PollEvents.POLLHUP : 0);
        }
    }

    /// <summary>TCFLSH of the master: its input is the slave's output.</summary>
    public void FlushForMaster(bool input, bool output)
    {
        lock (_lock)
        {
            if (input)
            {
                _discipline.Output.Clear();
            }

            if (output)
            {
                _incoming.Clear();
            }
        }

        SlaveWaiters.Notify(PollEvents.Writable);
        MasterWaiters.Notify(PollEvents.Writable);
    }

    /// <summary>The master was closed: the terminal hangs up.</summary>
    public void CloseMaster()
    {
        _isMasterClosed = true;
        _onMasterClosed(Index);
        HangUp();
    }

    /// <inheritdoc/>
    internal override SyscallResult TryRead(GuestTask task, ref IoBuffer destination)
    {
        Span<byte> chunk = stackalloc byte[(int)Math.Min(Chunk, destination.Length)];
        SignalSet raised = default;
        int count;
        lock (_lock)
        {
            if (!_discipline.HasInput(1))
            {
                return _isMasterClosed ? Errno.EIO : Errno.EAGAIN;
            }

            count = _discipline.Read(chunk);
            Pump(ref raised);
        }

        JobControl.SendToForeground(Kernel, this, raised);
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.Writable);
        return count == 0 ? 0 : destination.CopyFrom(chunk[..count]).TryGet(out int copied, out Errno errno) ? copied : errno;
    }

    /// <inheritdoc/>
    internal override SyscallResult TryWrite(ref IoBuffer source)
    {
        Span<byte> chunk = stackalloc byte[Chunk];
        long done = 0;
        while (!source.IsEmpty && !_isMasterClosed)
        {
            IoBuffer ahead = source;
            if (!ahead.CopyTo(chunk[..(int)Math.Min(chunk.Length, source.Length)]).TryGet(out int count, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            int used;
            lock (_lock)
            {
                used = _discipline.Write(chunk[..count]);
            }

            source.Advance(used);
            done += used;
            if (used < count)
            {
                break;
            }
        }

        if (done == 0)
        {
            return _isMasterClosed ? Errno.EIO : Errno.EAGAIN;
        }

        MasterWaiters.Notify(PollEvents.Readable);
        return done;
    }

    /// <inheritdoc/>
    internal override PollEvents Readiness(PollEvents wanted, bool countsMinimum)
    {
        lock (_lock)
        {
            Termios termios = _discipline.Termios;
            int minimum = countsMinimum && termios[ControlCharacter.VTIME] == 0 ? Math.Max((int)termios[ControlCharacter.VMIN], 1) : 1;
            return (_discipline.HasInput(minimum) ? PollEvents.Readable : 0)
                | (_discipline.Output.Room > 0 ? PollEvents.Writable : 0)
                | (_isMasterClosed ? PollEvents.POLLHUP : 0);
        }
    }

    /// <inheritdoc/>
    internal override void AddWaiter(WaitEntry entry) => SlaveWaiters.Add(entry);

    /// <inheritdoc/>
    internal override void RemoveWaiter(WaitEntry entry) => SlaveWaiters.Remove(entry);

    /// <inheritdoc/>
    internal override Errno SetAttributes(GuestTask task, Termios termios, bool flushesInput)
    {
        termios.Control = (termios.Control & ~(ControlModes.SizeMask | ControlModes.PARENB)) | ControlModes.CS8 | ControlModes.CREAD;
        SignalSet raised = default;
        lock (_lock)
        {
            if (flushesInput)
            {
                _incoming.Clear();
                _discipline.FlushInput();
            }

            TellSettings(_discipline.Termios, termios);
            _discipline.Set(termios);
            Pump(ref raised);
        }

        JobControl.SendToForeground(Kernel, this, raised);
        SlaveWaiters.Notify(PollEvents.Readable | PollEvents.Writable);
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.Writable | PollEvents.POLLPRI);
        return Errno.None;
    }

    /// <inheritdoc/>
    internal override Result<WindowSize> GetWindowSize()
    {
        lock (_lock)
        {
            return _size;
        }
    }

    /// <inheritdoc/>
    internal override Errno SetWindowSize(WindowSize size)
    {
        lock (_lock)
        {
            if (_size == size)
            {
                return Errno.None;
            }

            _size = size;
        }

        JobControl.SendToForeground(Kernel, this, SignalSet.Of(Signal.SIGWINCH));
        return Errno.None;
    }

    /// <inheritdoc/>
    internal override Errno Flush(bool input, bool output)
    {
        lock (_lock)
        {
            if (input)
            {
                _incoming.Clear();
                _discipline.FlushInput();
                Tell(PacketStatus.FlushRead);
            }

            if (output)
            {
                _discipline.Output.Clear();
                Tell(PacketStatus.FlushWrite);
            }
        }

        SlaveWaiters.Notify(PollEvents.Writable);
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.Writable | PollEvents.POLLPRI);
        return Errno.None;
    }

    /// <inheritdoc/>
    internal override Errno ControlFlow(FlowAction action)
    {
        lock (_lock)
        {
            bool wasStopped = _discipline.Output.IsStopped;
            if (action is FlowAction.HoldOutput or FlowAction.ReleaseOutput)
            {
                _discipline.HoldOutput(action == FlowAction.HoldOutput);
            }
            else
            {
                byte character = _discipline.Termios[action == FlowAction.SendStop ? ControlCharacter.VSTOP : ControlCharacter.VSTART];
                if (character != 0)
                {
                    _discipline.Output.WriteRaw(character);
                }
            }

            TellFlow(wasStopped);
        }

        SlaveWaiters.Notify(PollEvents.Writable);
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.POLLPRI);
        return Errno.None;
    }

    /// <inheritdoc/>
    internal override Errno InsertInput(byte character)
    {
        Type([character]);
        return Errno.None;
    }

    /// <inheritdoc/>
    private protected override Errno CheckOpen() => IsLocked || _isMasterClosed ? Errno.EIO : Errno.None;

    /// <inheritdoc/>
    private protected override void OnFirstOpen() => _isSlaveClosed = false;

    /// <inheritdoc/>
    private protected override void OnLastClose()
    {
        _isSlaveClosed = true;
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.POLLHUP);
    }

    /// <inheritdoc/>
    private protected override void NotifyHangUp()
    {
        SlaveWaiters.Notify(PollEvents.Readable | PollEvents.Writable | PollEvents.POLLHUP);
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.POLLHUP);
    }

    private int Type(ReadOnlySpan<byte> typed)
    {
        SignalSet raised = default;
        int used;
        lock (_lock)
        {
            used = _incoming.Add(typed);
            Pump(ref raised);
        }

        JobControl.SendToForeground(Kernel, this, raised);
        SlaveWaiters.Notify(PollEvents.Readable | PollEvents.Writable);
        MasterWaiters.Notify(PollEvents.Readable | PollEvents.POLLPRI);
        return used;
    }

    // Hands what the master wrote to the discipline, as far as it takes it. Under the lock.
    private void Pump(ref SignalSet raised)
    {
        bool wasStopped = _discipline.Output.IsStopped;
        Span<byte> chunk = stackalloc byte[Chunk];
        while (_incoming.Count > 0)
        {
            int count = _incoming.Peek(chunk);
            int used = _discipline.Receive(chunk[..count], ref raised);
            _incoming.Skip(used);
            if (used < count)
            {
                break;
            }
        }

        if (_discipline.HasFlushed)
        {
            _discipline.HasFlushed = false;
            Tell(PacketStatus.FlushRead | PacketStatus.FlushWrite);
        }

        TellFlow(wasStopped);
    }

    private void Tell(PacketStatus status) => _status |= _isPacketMode ? status : PacketStatus.None;

    private void TellFlow(bool wasStopped)
    {
        bool isStopped = _discipline.Output.IsStopped;
        if (_isPacketMode && isStopped != wasStopped)
        {
            _status = (_status & ~(PacketStatus.Stop | PacketStatus.Start)) | (isStopped ? PacketStatus.Stop : PacketStatus.Start);
        }
    }

    private void TellSettings(in Termios old, in Termios now)
    {
        if (!_isPacketMode)
        {
            return;
        }

        bool flows = HasStandardFlow(now);
        if (flows != HasStandardFlow(old))
        {
            _status = (_status & ~(PacketStatus.DoStop | PacketStatus.NoStop)) | (flows ? PacketStatus.DoStop : PacketStatus.NoStop);
        }

        _status |= old.Has(LocalModes.EXTPROC) || now.Has(LocalModes.EXTPROC) ? PacketStatus.Ioctl : PacketStatus.None;
    }

    private static bool HasStandardFlow(in Termios termios) =>
        termios.Has(InputModes.IXON) && termios[ControlCharacter.VSTOP] == XoffCharacter && termios[ControlCharacter.VSTART] == XonCharacter;
}
