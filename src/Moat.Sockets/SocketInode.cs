using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sockets;

/// <summary>The inode of one socket, as fstat(2) and /proc/PID/fd show it.</summary>
internal sealed class SocketInode(SocketFilesystem filesystem, ulong number, NewOwner owner, long bornNs) : Inode(filesystem)
{
    /// <inheritdoc/>
    public override Mode FileType => Mode.S_IFSOCK;

    /// <summary>Who made the socket.</summary>
    public uint Owner => owner.Uid;

    /// <summary>The inode number.</summary>
    public ulong Number => number;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Timespec born = Timespec.FromNanoseconds(bornNs);
        attributes = new InodeAttributes
        {
            Device = Filesystem.Device,
            Inode = number,
            Mode = Mode.S_IFSOCK | (Mode)0x1ff,
            LinkCount = 1,
            Uid = owner.Uid,
            Gid = owner.Gid,
            BlockSize = 4096,
            AccessTime = born,
            ModifyTime = born,
            ChangeTime = born,
        };
        return Errno.None;
    }
}
