using Moat.Host;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostTree;

/// <summary>A directory tree of the host, read-only, through one donated directory descriptor. Names are opened one component at a time and links are never followed by the host,
/// so that nothing outside of the tree can be reached. Attributes and entries are taken to stay as they are (exclusive access).</summary>
public sealed class HostTreeFilesystem : Filesystem
{
    /// <summary>Wraps a directory.</summary>
    /// <param name="directoryFd">Opened with O_PATH; stays open.</param>
    /// <param name="device">The device number shown.</param>
    /// <exception cref="InvalidOperationException">The descriptor is no directory.</exception>
    public HostTreeFilesystem(int directoryFd, DeviceNumber device)
    {
        Device = device;
        Root = HostFile.Stat(directoryFd).TryGet(out HostStat stat, out Errno errno) ? new HostTreeInode(this, directoryFd, stat) : throw new InvalidOperationException($"root directory: {errno}");
    }

    /// <inheritdoc/>
    public override string TypeName => "9p";

    /// <inheritdoc/>
    public override DeviceNumber Device { get; }

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        statistics = new FilesystemStatistics { Magic = 0x01021997, BlockSize = 4096, Blocks = 1 << 20, Files = 1 << 20, NameLength = FileName.MaxLength };
        return Errno.None;
    }
}
