using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>An inode of a synthetic filesystem: owner root unless a subclass says otherwise, times of its making.</summary>
public abstract class SyntheticInode : Inode
{
    private readonly ulong _inode;
    private readonly long _bornNs;

    /// <param name="filesystem">The instance.</param>
    /// <param name="mode">Type and permission bits.</param>
    protected SyntheticInode(SyntheticFilesystem filesystem, Mode mode)
        : base(filesystem)
    {
        Mode = mode;
        _inode = filesystem.NextInode();
        _bornNs = filesystem.Clock.RealtimeNs;
    }

    /// <summary>Type and permission bits.</summary>
    public Mode Mode { get; }

    /// <inheritdoc/>
    public override Mode FileType => Mode & Mode.S_IFMT;

    /// <summary>The inode number.</summary>
    public ulong Number => _inode;

    /// <summary>Who owns it.</summary>
    protected virtual NewOwner Owner => default;

    /// <summary>st_nlink.</summary>
    protected virtual uint LinkCount => 1;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Timespec born = Timespec.FromNanoseconds(_bornNs);
        attributes = new InodeAttributes
        {
            Device = Filesystem.Device,
            Inode = _inode,
            Mode = Mode,
            LinkCount = LinkCount,
            Uid = Owner.Uid,
            Gid = Owner.Gid,
            BlockSize = 1024,
            AccessTime = born,
            ModifyTime = born,
            ChangeTime = born,
        };
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name) => IsDirectory ? Errno.ENOENT : Errno.ENOTDIR;
}
