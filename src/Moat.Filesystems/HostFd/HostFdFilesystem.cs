using Moat.Host;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>The home of descriptors that came from the host; it is mounted nowhere.</summary>
public sealed class HostFdFilesystem(DeviceNumber device) : Filesystem
{
    private readonly HostPoller _poller = new();

    /// <summary>Waits on the host.</summary>
    internal HostPoller Poller => _poller;

    /// <inheritdoc/>
    public override string TypeName => "hostfd";

    /// <inheritdoc/>
    public override DeviceNumber Device => device;

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        statistics = new FilesystemStatistics { Magic = 0x50495045, BlockSize = 4096, NameLength = FileName.MaxLength };
        return Errno.None;
    }

    /// <summary>Wraps a descriptor for a guest.</summary>
    /// <param name="hostFd">The descriptor; closed with the last description of it.</param>
    /// <param name="flags">How the guest may use it.</param>
    /// <returns>EBADF if it is not open.</returns>
    public Result<FileDescription> Import(int hostFd, OpenFlags flags) =>
        HostFile.Stat(hostFd).TryGet(out HostStat stat, out Errno errno) ? new HostFdDescription(_poller, new HostFdInode(this, _poller, hostFd, stat), hostFd, flags) : errno;
}
