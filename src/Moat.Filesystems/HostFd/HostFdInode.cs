using Moat.Collections;
using Moat.Host;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>A donated descriptor, which is closed with the last description of it.</summary>
internal sealed class HostFdInode(Filesystem filesystem, HostPoller poller, int hostFd, HostStat first) : Inode(filesystem)
{
    private UserCount _users = new(1);

    /// <summary>The inode number on the host.</summary>
    public ulong Number => first.Inode;

    /// <inheritdoc/>
    public override Mode FileType => (Mode)first.Mode & Mode.S_IFMT;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        if (!HostFile.Stat(hostFd).TryGet(out HostStat stat, out Errno errno))
        {
            attributes = default;
            return errno;
        }

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
    public override Errno SetAttributes(GuestTask task, in AttributeChange change)
    {
        // The content is the application's to change; owner, mode and times are the host's.
        bool isSizeAlone = change is { Size: not null, Permissions: null, Uid: null, Gid: null };
        return isSizeAlone ? HostMemory.Truncate(hostFd, change.Size!.Value) : Errno.EPERM;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) =>
        _users.TryAdd() ? new HostFdDescription(poller, this, hostFd, flags) : Errno.ENXIO; // closed meanwhile

    /// <summary>A description has gone.</summary>
    internal void RemoveUser()
    {
        if (_users.RemoveLast())
        {
            HostMemory.Close(hostFd);
        }
    }
}
