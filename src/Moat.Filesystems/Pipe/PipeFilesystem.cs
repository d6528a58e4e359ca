using System.Runtime.CompilerServices;
using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>The home of anonymous pipes, mounted nowhere, and the opener of FIFOs.</summary>
public sealed class PipeFilesystem(SentryKernel kernel) : SyntheticFilesystem(new DeviceNumber(0, (uint)kernel.NextAnonymousDevice()), kernel.Clock), IFifoOpener
{
    private readonly ConditionalWeakTable<Inode, PipeBuffer> _fifos = [];
    private readonly PipeBudget _budget = new();

    /// <inheritdoc/>
    public override string TypeName => "pipefs";

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <inheritdoc/>
    protected override long Magic => 0x50495045;

    /// <summary>pipe2(2): a new pipe.</summary>
    /// <param name="task">Who owns it.</param>
    /// <param name="flags">O_NONBLOCK, O_DIRECT.</param>
    public (FileDescription Reader, FileDescription Writer) Create(GuestTask task, OpenFlags flags)
    {
        PipeBuffer pipe = new(_budget);
        PipeInode inode = new(this, pipe, new NewOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid));
        return (new PipeDescription(pipe, inode, flags | OpenFlags.O_RDONLY, null), new PipeDescription(pipe, inode, flags | OpenFlags.O_WRONLY, null));
    }

    /// <inheritdoc/>
    public Result<FileDescription> Open(GuestTask task, Inode node, PathLocation location, OpenFlags flags)
    {
        PipeBuffer pipe = _fifos.GetValue(node, _ => new PipeBuffer(_budget));
        bool nonBlocking = (flags & OpenFlags.O_NONBLOCK) != 0;
        OpenFlags access = flags & OpenFlags.O_ACCMODE;
        if (access == OpenFlags.O_WRONLY && nonBlocking && !pipe.HasReaders)
        {
            return Errno.ENXIO;
        }

        // An other end that is there already may be gone as soon as it hears of this one.
        (long readerOpens, long writerOpens) = (pipe.ReaderOpens, pipe.WriterOpens);
        bool hasOther = access == OpenFlags.O_RDONLY ? pipe.HasWriters : pipe.HasReaders;
        PipeDescription end = new(pipe, node, flags, location);
        if (nonBlocking || access == OpenFlags.O_RDWR || hasOther)
        {
            return end;
        }

        // A blocking open waits for the other end (fifo(7)), also for one that has gone again meanwhile.
        TaskWaitEntry entry = new(task) { Mask = PollEvents.All };
        pipe.Waiters.Add(entry);
        try
        {
            while (access == OpenFlags.O_RDONLY ? !pipe.HasWriters && pipe.WriterOpens == writerOpens : !pipe.HasReaders && pipe.ReaderOpens == readerOpens)
            {
                Errno errno = task.Block();
                if (errno != Errno.None)
                {
                    end.Release();
                    return errno;
                }
            }

            return end;
        }
        finally
        {
            pipe.Waiters.Remove(entry);
        }
    }
}
