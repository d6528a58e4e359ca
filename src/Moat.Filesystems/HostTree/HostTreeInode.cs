using Moat.Host;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostTree;

/// <summary>A file of the tree, held by an O_PATH descriptor.</summary>
internal sealed class HostTreeInode(HostTreeFilesystem filesystem, int pathFd, HostStat stat) : Inode(filesystem)
{
    private readonly HostTreeFilesystem _tree = filesystem;
    private byte[]? _target;

    ~HostTreeInode() => HostMemory.Close(pathFd);

    /// <summary>The inode number.</summary>
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
    public override Errno SetAttributes(GuestTask task, in AttributeChange change) => Errno.EROFS;

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (!HostFile.OpenAt(pathFd, name.Bytes, OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        if (HostFile.Stat(fd).TryGet(out HostStat found, out errno))
        {
            return new HostTreeInode(_tree, fd, found);
        }

        HostMemory.Close(fd);
        return errno;
    }

    /// <inheritdoc/>
    public override Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner) => Errno.EROFS;

    /// <inheritdoc/>
    public override Result<Inode> MakeDirectory(GuestTask task, FileName name, Mode permissions, in NewOwner owner) => Errno.EROFS;

    /// <inheritdoc/>
    public override Result<Inode> MakeSymlink(GuestTask task, FileName name, ReadOnlySpan<byte> target, in NewOwner owner) => Errno.EROFS;

    /// <inheritdoc/>
    public override Result<byte[]> ReadSymlink(GuestTask? task)
    {
        if (_target is null)
        {
            if (!HostFile.ReadLink(pathFd).TryGet(out byte[]? target, out Errno errno))
            {
                return errno;
            }

            _target = target;
        }

        return _target;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        if (FileType == Mode.S_IFCHR)
        {
            return task.Kernel.Devices.Open(task, location, new DeviceNumber(stat.SpecialDevice), flags);
        }

        if (FileType is not (Mode.S_IFREG or Mode.S_IFDIR))
        {
            return Errno.ENXIO;
        }

        // An O_PATH descriptor is opened for reading by way of /proc, which the host resolves to this very file.
        byte[] link = System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{pathFd}");
        if (!HostFile.OpenAt(HostFile.CurrentDirectory, link, OpenFlags.O_RDONLY).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        return FileType == Mode.S_IFREG ? new HostTreeFile(this, fd, stat.Size, flags, location) : new HostTreeDirectory(this, fd, flags, location);
    }
}
