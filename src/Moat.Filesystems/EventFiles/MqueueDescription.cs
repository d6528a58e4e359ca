using System.Text;
using Moat.Kernel.Ipc;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>An open POSIX message queue (mq_open(3)).</summary>
public sealed class MqueueDescription(AnonymousFilesystem home, PosixQueues queues, PosixQueue queue, OpenFlags flags) : FileDescription(flags, null)
{
    private const int Size = 80; // FILENT_SIZE

    /// <summary>The queue.</summary>
    public PosixQueue Queue => queue;

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[mqueue]";

    /// <inheritdoc/>
    public override Inode Inode => home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        int count = queue.Count;
        return ((count > 0 ? PollEvents.Readable : 0) | (count < queue.MaxMessages ? PollEvents.Writable : 0)) & mask;
    }

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <summary>Tells the state of the queue in a line (mq_overview(7)); messages are received by mq_receive(3) alone.</summary>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        byte[] line = Encoding.ASCII.GetBytes(queue.Describe());
        return offset >= line.Length ? 0 : destination.CopyFrom(line.AsSpan((int)offset)).TryGet(out int count, out Errno errno) ? count : errno;
    }

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        const int Set = 0;
        const int Current = 1;
        const int End = 2;
        long? from = whence switch
        {
            Set => 0,
            Current => Offset,
            End => Size,
            _ => null,
        };
        if (from is not { } start || offset > long.MaxValue - start || start + offset < 0)
        {
            return Errno.EINVAL;
        }

        return Offset = start + offset;
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => queue.Changes.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => queue.Changes.Remove(entry);

    /// <inheritdoc/>
    protected override void OnLastClose() => queues.Close(queue);
}
