using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>An end of a pipe or FIFO, or both ends of a FIFO opened for reading and writing.</summary>
public sealed class PipeDescription : FileDescription
{
    private readonly PipeBuffer _pipe;
    private readonly Inode _inode;
    private readonly long _writerOpens;

    /// <summary>Opens an end.</summary>
    public PipeDescription(PipeBuffer pipe, Inode inode, OpenFlags flags, PathLocation? location)
        : base(flags, location)
    {
        _pipe = pipe;
        _inode = inode;
        _writerOpens = location is null || CanWrite || pipe.HasWriters ? -1 : pipe.WriterOpens;
        _pipe.AddEnd(CanRead, CanWrite);
    }

    /// <inheritdoc/>
    public override string AnonymousName => $"pipe:[{(_inode as PipeInode)?.Number ?? 0}]";

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool SignalsReadiness => true;

    /// <summary>What is shared with the other end.</summary>
    public PipeBuffer Pipe => _pipe;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => _pipe.Read(ref destination);

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset) => _pipe.Write(ref source);

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        const uint BytesReady = 0x541b; // FIONREAD
        return request == BytesReady ? task.Memory.Write(new GuestAddress(argument), _pipe.Count) : Errno.ENOTTY;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents ready = PollEvents.None;
        if (CanRead)
        {
            ready |= _pipe.Count > 0 ? PollEvents.Readable : 0;
            ready |= _pipe.HasWriters || _pipe.WriterOpens == _writerOpens ? 0 : PollEvents.POLLHUP; // no hang-up before the first writer of a FIFO
        }

        if (CanWrite)
        {
            ready |= _pipe.Capacity - _pipe.Count >= PipeBuffer.Atom ? PollEvents.Writable : 0;
            ready |= _pipe.HasReaders ? 0 : PollEvents.POLLERR;
        }

        return ready & (mask | PollEvents.POLLHUP | PollEvents.POLLERR);
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _pipe.Waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _pipe.Waiters.Remove(entry);

    /// <inheritdoc/>
    protected override void OnLastClose() => _pipe.RemoveEnd(CanRead, CanWrite);
}
