using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack.Sockets;

namespace Moat.Sockets;

/// <summary>The home of sockets (sockfs), mounted nowhere.</summary>
public sealed class SocketFilesystem(SentryKernel kernel) : Filesystem
{
    private long _lastInode;

    /// <inheritdoc/>
    public override string TypeName => "sockfs";

    /// <inheritdoc/>
    public override DeviceNumber Device { get; } = new(0, (uint)kernel.NextAnonymousDevice());

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <summary>The time, for new inodes and deadlines.</summary>
    public IKernelClock Clock => kernel.Clock;

    /// <summary>What the sockets of all families hold.</summary>
    public SocketMemory Memory { get; } = new();

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        statistics = new FilesystemStatistics { Magic = 0x534f434b, BlockSize = 4096, NameLength = FileName.MaxLength };
        return Errno.None;
    }

    /// <summary>An inode for a new socket of a task.</summary>
    internal SocketInode NewInode(GuestTask task) =>
        new(this, (ulong)Interlocked.Increment(ref _lastInode), new NewOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid), Clock.RealtimeNs);
}
