using Moat.Kernel.Ipc;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>An open POSIX message queue (mq_open(3)).</summary>
public sealed class MqueueDescription(AnonymousFilesystem home, PosixQueues queues, PosixQueue queue, OpenFlags flags) : FileDescription(flags, null)
{
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
    public override void AddWaiter(WaitEntry entry) => queue.Changes.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => queue.Changes.Remove(entry);

    /// <inheritdoc/>
    protected override void OnLastClose() => queues.Close(queue);
}
