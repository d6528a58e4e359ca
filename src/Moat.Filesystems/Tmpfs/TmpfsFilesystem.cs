using Moat.Kernel;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.Tmpfs;

/// <summary>tmpfs (tmpfs(5)): files in the sandbox's memory.</summary>
public sealed class TmpfsFilesystem : Filesystem
{
    private long _lastInode;
    private long _inodes;

    /// <summary>An empty filesystem.</summary>
    /// <param name="kernel">Whose memory it uses.</param>
    /// <param name="options">Limits, and the root's mode and owner.</param>
    public TmpfsFilesystem(SentryKernel kernel, TmpfsOptions options)
    {
        Kernel = kernel;
        Limits = options;
        Device = new DeviceNumber(0, (uint)kernel.NextAnonymousDevice());
        Root = new TmpfsDirectory(this, options.RootMode, new NewOwner(options.Uid, options.Gid), null);
    }

    /// <inheritdoc/>
    public override string TypeName => Limits.TypeName;

    /// <inheritdoc/>
    public override DeviceNumber Device { get; }

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <summary>Whose memory it uses.</summary>
    internal SentryKernel Kernel { get; }

    /// <summary>Limits.</summary>
    internal TmpfsOptions Limits { get; }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        ulong total = Math.Min(Limits.SizeBytes, Kernel.MemoryFile.LimitBytes) / MemoryFile.PageSize;
        ulong used = Math.Min(total, Kernel.MemoryFile.UsedBytes / MemoryFile.PageSize);
        statistics = new FilesystemStatistics
        {
            Magic = 0x01021994,
            BlockSize = MemoryFile.PageSize,
            Blocks = total,
            BlocksFree = total - used,
            BlocksAvailable = total - used,
            Files = (ulong)Limits.MaxInodes,
            FilesFree = (ulong)Math.Max(0, Limits.MaxInodes - Volatile.Read(ref _inodes)),
            NameLength = FileName.MaxLength,
        };
        return Errno.None;
    }

    /// <summary>Counts a new inode; false at the limit.</summary>
    internal bool TryAddInode()
    {
        if (Interlocked.Increment(ref _inodes) <= Limits.MaxInodes)
        {
            return true;
        }

        Interlocked.Decrement(ref _inodes);
        return false;
    }

    /// <summary>An inode has gone.</summary>
    internal void RemoveInode() => Interlocked.Decrement(ref _inodes);

    /// <summary>A number for a new inode.</summary>
    internal ulong NextInode() => (ulong)Interlocked.Increment(ref _lastInode);
}
