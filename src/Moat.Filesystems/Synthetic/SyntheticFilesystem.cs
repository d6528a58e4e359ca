using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A filesystem whose content is made up when it is looked at: no storage, sizes of zero.</summary>
public abstract class SyntheticFilesystem(DeviceNumber device, IKernelClock clock) : Filesystem
{
    private long _lastInode;

    /// <inheritdoc/>
    public override DeviceNumber Device => device;

    /// <summary>The magic number for statfs(2).</summary>
    protected abstract long Magic { get; }

    /// <summary>Where the times of inodes come from.</summary>
    internal IKernelClock Clock => clock;

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        statistics = new FilesystemStatistics { Magic = Magic, BlockSize = 4096, NameLength = FileName.MaxLength };
        return Errno.None;
    }

    /// <summary>A number for a new inode.</summary>
    internal ulong NextInode() => (ulong)Interlocked.Increment(ref _lastInode);
}
