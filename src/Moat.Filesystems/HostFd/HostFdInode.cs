using Moat.Host;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>What fstat(2) shows of a donated descriptor.</summary>
internal sealed class HostFdInode(Filesystem filesystem, HostPoller poller, int hostFd, HostStat stat) : Inode(filesystem)
{
    /// <summary>The inode number on the host.</summary>
    public ulong Number => stat.Inode;

    /// <inheritdoc/>
    public override Mode FileType => (Mode)stat.Mode & Mode.S_IFMT;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        attributes = new InodeAttributes
        {
            Device = Filesystem.Device,
            Inode = stat.Inode,
            Mode = (Mode)stat.Mode,
            LinkCount = (uint)stat.LinkCount,
            Uid = stat.Uid,
            Gid = stat.Gid,
            SpecialDevice = new DeviceNumber(stat.SpecialDevice),
            Size = stat.Size,
            BlockSize = (uint)stat.BlockSize,
            Blocks = (ulong)stat.Blocks,
            AccessTime = stat.AccessTime,
            ModifyTime = stat.ModifyTime,
            ChangeTime = stat.ChangeTime,
        };
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => new HostFdDescription(poller, this, hostFd, flags);
}
