using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>A pidfd (pidfd_open(2)): names a process, whatever becomes of its number. Readable when it has ended.</summary>
public sealed class PidfdDescription(AnonymousFilesystem home, ThreadGroup process, OpenFlags flags) : FileDescription(flags | OpenFlags.O_RDWR, null)
{
    /// <summary>The process.</summary>
    public ThreadGroup Process => process;

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[pidfd]";

    /// <inheritdoc/>
    public override Inode Inode => home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (process.Kernel.TaskLock)
        {
            return process.IsReaped ? (PollEvents.Readable & mask) | PollEvents.POLLHUP : process.IsZombie ? PollEvents.Readable & mask : PollEvents.None;
        }
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => process.ExitWaiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => process.ExitWaiters.Remove(entry);
}
