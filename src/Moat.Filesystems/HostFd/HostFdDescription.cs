using Moat.Host;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>A host descriptor that was given to the sandbox as one of its standard streams. Its blocking mode and its offset are shared with others and left alone: each read and write says
/// for itself that it does not wait (or asks poll(2) before, where that is not known), and files move by their own offset.</summary>
internal sealed class HostFdDescription(HostPoller poller, HostFdInode inode, int hostFd, OpenFlags flags) : FileDescription(flags, null)
{
    private const int PipeAtom = 4096; // PIPE_BUF: fits whenever poll says that a pipe is writable
    private const int PipeChunk = 64 << 10;
    private readonly HostWatch _watch = new(poller, hostFd);
    private volatile bool _knowsNoWait = true;

    /// <inheritdoc/>
    public override string AnonymousName => $"host:[{inode.Number}]";

    /// <inheritdoc/>
    public override Inode Inode => inode;

    /// <inheritdoc/>
    public override bool IsPollable => inode.FileType != Mode.S_IFREG;

    /// <inheritdoc/>
    public override bool IsSeekable => !IsPollable;

    /// <summary>The host's offset, which moves with those of others.</summary>
    public override long Offset
    {
        get => -1;
        set
        {
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (!IsPollable)
        {
            return HostTransfer.Read(ref destination, hostFd, offset);
        }

        if (_knowsNoWait)
        {
            SyscallResult result = HostTransfer.Read(ref destination, hostFd, -1, noWait: true);
            if (result.Errno != Errno.EOPNOTSUPP)
            {
                return result;
            }

            _knowsNoWait = false; // a terminal, or a device
        }

        return Readiness(PollEvents.POLLIN) == 0 ? Errno.EAGAIN : HostTransfer.Read(ref destination, hostFd, -1);
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (!IsPollable)
        {
            SyscallResult written = HostTransfer.WriteAt(ref source, hostFd, offset);
            offset += written.IsError || offset < 0 ? 0 : written.Raw; // the host moves its own
            return written;
        }

        if (_knowsNoWait)
        {
            SyscallResult result = HostTransfer.Write(ref source, hostFd, PipeChunk, noWait: true);
            if (result.Errno != Errno.EOPNOTSUPP)
            {
                return result;
            }

            _knowsNoWait = false;
        }

        return Readiness(PollEvents.POLLOUT) == 0 ? Errno.EAGAIN : HostTransfer.Write(ref source, hostFd, PipeAtom);
    }

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence) => HostFile.Seek(hostFd, offset, whence);

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => HostFile.Sync(hostFd, dataOnly);

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        const uint GetAttributes = 0x5401; // TCGETS
        const uint GetWindowSize = 0x5413; // TIOCGWINSZ
        const uint BytesReady = 0x541b; // FIONREAD
        int size = request switch { GetAttributes => 36, GetWindowSize => 8, BytesReady => 4, _ => 0 };
        if (size == 0)
        {
            return Errno.ENOTTY;
        }

        Span<byte> buffer = stackalloc byte[size];
        SyscallResult result = HostFile.Ioctl(hostFd, request, buffer);
        return result.IsError ? result : task.Memory.CopyOut(new GuestAddress(argument), buffer);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => _watch.Poll(mask);

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _watch.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _watch.Remove(entry);

    /// <inheritdoc/>
    protected override void OnLastClose() => inode.RemoveUser();
}
