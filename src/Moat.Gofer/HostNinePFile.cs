using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Moat.Host;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>A file of an exported tree, held by an O_PATH descriptor, so that it is the same file whatever happens to its names. Names are opened one component at a time and links
/// are never followed: nothing outside of the tree can be reached.</summary>
internal sealed class HostNinePFile : NinePFile
{
    private const OpenFlags Hold = OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW;

    // What a client may ask for; the rest is the server's business.
    private const OpenFlags Permitted = OpenFlags.O_ACCMODE | OpenFlags.O_TRUNC | OpenFlags.O_APPEND | OpenFlags.O_EXCL | OpenFlags.O_DSYNC | OpenFlags.O_SYNC | OpenFlags.O_DIRECTORY;

    private readonly HostTree _tree;
    private int _fd;
    private int _openFd = -1;
    private DirectoryListing? _listing;

    private HostNinePFile(HostTree tree, int fd)
    {
        _tree = tree;
        _fd = fd;
    }

    /// <summary>The root of a tree.</summary>
    public static Result<HostNinePFile> OpenRoot(HostTree tree, string path) =>
        HostFile.OpenAt(HostFile.CurrentDirectory, Encoding.UTF8.GetBytes(path), Hold).TryGet(out int fd, out Errno errno) ? new HostNinePFile(tree, fd) : errno;

    // The descriptor's number as a name in /proc/self/fd.
    private byte[] MagicName => Encoding.ASCII.GetBytes(_fd.ToString(CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override Result<NinePAttributes> GetAttributes() => HostFile.Stat(_fd).TryGet(out HostStat stat, out Errno errno) ? ToAttributes(stat) : errno;

    /// <inheritdoc/>
    public override Result<NinePFile> Duplicate()
    {
        const int DupCloexec = 1030; // F_DUPFD_CLOEXEC
        SyscallResult copy = HostCall.Invoke(SyscallNumber.fcntl, _fd, DupCloexec, 0);
        return copy.IsError ? copy.Errno : new HostNinePFile(_tree, (int)copy.Raw);
    }

    /// <inheritdoc/>
    public override Result<NinePFile> Walk(ReadOnlySpan<byte> name) => HostFile.OpenAt(_fd, name, Hold).TryGet(out int fd, out Errno errno) ? new HostNinePFile(_tree, fd) : errno;

    /// <inheritdoc/>
    public override Result<NinePFile> Parent()
    {
        if (!HostFile.Stat(_fd).TryGet(out HostStat stat, out Errno errno))
        {
            return errno;
        }

        return stat.Device == _tree.RootDevice && stat.Inode == _tree.RootInode ? Duplicate() : Walk(".."u8);
    }

    /// <inheritdoc/>
    public override Errno Open(OpenFlags flags)
    {
        if (_tree.IsReadOnly && ((flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY || (flags & OpenFlags.O_TRUNC) != 0))
        {
            return Errno.EROFS;
        }

        if (!HostFile.Stat(_fd).TryGet(out HostStat stat, out Errno errno))
        {
            return errno;
        }

        Mode type = (Mode)stat.Mode & Mode.S_IFMT;
        if (type is not (Mode.S_IFREG or Mode.S_IFDIR))
        {
            return type == Mode.S_IFLNK ? Errno.ELOOP : Errno.EACCES; // no pipes, sockets or devices of the host
        }

        if (!HostFile.OpenAt(_tree.DescriptorsFd, MagicName, (flags & Permitted & ~OpenFlags.O_EXCL) | OpenFlags.O_NONBLOCK | OpenFlags.O_NOCTTY).TryGet(out int fd, out errno))
        {
            return errno;
        }

        _openFd = fd;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Create(ReadOnlySpan<byte> name, OpenFlags flags, Mode mode, uint gid)
    {
        if (_tree.IsReadOnly)
        {
            return Errno.EROFS;
        }

        if (!HostDirectory.Create(_fd, name, (flags & Permitted) | OpenFlags.O_NOFOLLOW | OpenFlags.O_NONBLOCK, mode).TryGet(out int opened, out Errno errno))
        {
            return errno;
        }

        if (!HostFile.OpenAt(_tree.DescriptorsFd, Encoding.ASCII.GetBytes(opened.ToString(CultureInfo.InvariantCulture)), OpenFlags.O_PATH).TryGet(out int held, out errno))
        {
            HostMemory.Close(opened);
            return errno;
        }

        HostMemory.Close(_fd);
        _fd = held;
        _openFd = opened;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<int> Read(ulong offset, Span<byte> destination) => ToCount(HostFile.ReadAt(_openFd, destination, (long)offset));

    /// <inheritdoc/>
    public override Result<int> Write(ulong offset, ReadOnlySpan<byte> source) => ToCount(HostFile.WriteAt(_openFd, source, (long)offset));

    /// <inheritdoc/>
    public override Errno ReadDirectory(ulong offset, NinePDirectorySink sink)
    {
        if (_openFd < 0)
        {
            return Errno.EBADF;
        }

        return (_listing ??= new DirectoryListing(_openFd, _tree.ListBuffer)).Read(offset, sink);
    }

    /// <inheritdoc/>
    public override Errno List(ulong cookie, NinePFileSink sink)
    {
        if (!HostFile.OpenAt(_tree.DescriptorsFd, MagicName, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        DirectoryListing listing = new(fd, _tree.ListBuffer);
        HostFileLister lister = new(fd, sink, cookie);
        errno = listing.Read(cookie, lister);
        HostMemory.Close(fd);
        sink.Finish(lister.Next, listing.HasEnded);
        return errno;
    }

    /// <inheritdoc/>
    public override Result<byte[]> ReadLink() => HostFile.ReadLink(_fd);

    /// <inheritdoc/>
    public override Result<Qid> MakeDirectory(ReadOnlySpan<byte> name, Mode permissions, uint gid) =>
        _tree.IsReadOnly ? Errno.EROFS : Made(name, HostDirectory.MakeDirectory(_fd, name, permissions), gid);

    /// <inheritdoc/>
    public override Result<Qid> MakeSymlink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, uint gid) =>
        _tree.IsReadOnly ? Errno.EROFS : Made(name, HostDirectory.MakeSymlink(_fd, name, target), gid);

    /// <inheritdoc/>
    public override Result<Qid> MakeNode(ReadOnlySpan<byte> name, Mode mode, DeviceNumber device, uint gid)
    {
        if (_tree.IsReadOnly)
        {
            return Errno.EROFS;
        }

        // Device nodes of the host are not for guests; character device 0:0 is a whiteout, and as dead as a FIFO.
        Mode type = mode & Mode.S_IFMT;
        bool isHarmless = type is Mode.S_IFREG or Mode.S_IFIFO or Mode.S_IFSOCK || (type == Mode.S_IFCHR && device.Value == 0);
        return isHarmless ? Made(name, HostDirectory.MakeNode(_fd, name, mode, device), gid) : Errno.EPERM;
    }

    /// <inheritdoc/>
    public override Errno Link(ReadOnlySpan<byte> name, NinePFile target)
    {
        HostNinePFile file = (HostNinePFile)target;
        return _tree.IsReadOnly ? Errno.EROFS : HostDirectory.Link(_tree.DescriptorsFd, file.MagicName, _fd, name);
    }

    /// <inheritdoc/>
    public override Errno Rename(ReadOnlySpan<byte> name, NinePFile newDirectory, ReadOnlySpan<byte> newName) =>
        _tree.IsReadOnly ? Errno.EROFS : HostDirectory.Rename(_fd, name, ((HostNinePFile)newDirectory)._fd, newName);

    /// <inheritdoc/>
    public override Errno Unlink(ReadOnlySpan<byte> name, bool isDirectory) => _tree.IsReadOnly ? Errno.EROFS : HostDirectory.Unlink(_fd, name, isDirectory);

    /// <inheritdoc/>
    public override Errno SetAttributes(in NinePAttributeChange change)
    {
        if (_tree.IsReadOnly)
        {
            return Errno.EROFS;
        }

        Errno errno = Errno.None;
        if (change.Size is { } size)
        {
            errno = Truncate(size);
        }

        if (errno == Errno.None && (change.Uid is not null || change.Gid is not null))
        {
            errno = HostDirectory.SetOwner(_fd, change.Uid ?? uint.MaxValue, change.Gid ?? uint.MaxValue);
        }

        if (errno == Errno.None && change.Permissions is { } permissions)
        {
            errno = HostDirectory.SetPermissions(_tree.DescriptorsFd, MagicName, permissions);
        }

        if (errno == Errno.None && (change.AccessTime is not null || change.ModifyTime is not null))
        {
            Timespec omit = new(0, 0x3ffffffe); // UTIME_OMIT
            errno = HostDirectory.SetTimes(_tree.DescriptorsFd, MagicName, change.AccessTime ?? omit, change.ModifyTime ?? omit);
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Result<byte[]> GetExtendedAttribute(ReadOnlySpan<byte> name)
    {
        Errno errno = UserAttributes.Has(name) ? Errno.None : Errno.EOPNOTSUPP;
        if (errno != Errno.None || !OpenForAttributes().TryGet(out int fd, out errno))
        {
            return errno;
        }

        Result<byte[]> value = HostExtendedAttributes.Get(fd, name);
        HostMemory.Close(fd);
        return value;
    }

    /// <inheritdoc/>
    public override Result<byte[]> ListExtendedAttributes()
    {
        if (!OpenForAttributes().TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        Result<byte[]> names = HostExtendedAttributes.List(fd);
        HostMemory.Close(fd);
        return names.TryGet(out byte[]? all, out errno) ? UserAttributes.Only(all) : errno;
    }

    /// <inheritdoc/>
    public override Errno SetExtendedAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags)
    {
        Errno errno = CanChange(name);
        if (errno == Errno.None && OpenForAttributes().TryGet(out int fd, out errno))
        {
            errno = HostExtendedAttributes.Set(fd, name, value, flags);
            HostMemory.Close(fd);
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Errno RemoveExtendedAttribute(ReadOnlySpan<byte> name)
    {
        Errno errno = CanChange(name);
        if (errno == Errno.None && OpenForAttributes().TryGet(out int fd, out errno))
        {
            errno = HostExtendedAttributes.Remove(fd, name);
            HostMemory.Close(fd);
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => _openFd < 0 ? Errno.None : HostCall.Invoke(dataOnly ? SyscallNumber.fdatasync : SyscallNumber.fsync, _openFd).Errno;

    /// <inheritdoc/>
    public override Result<NinePStatistics> GetStatistics()
    {
        Span<byte> raw = stackalloc byte[120];
        Errno errno = HostDirectory.GetStatistics(_fd, raw);
        if (errno != Errno.None)
        {
            return errno;
        }

        // struct statfs: f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_fsid, f_namelen …
        ulong Word(ReadOnlySpan<byte> words, int index) => BinaryPrimitives.ReadUInt64LittleEndian(words[(index * 8)..]);
        return new NinePStatistics((uint)Word(raw, 0), (uint)Word(raw, 1), Word(raw, 2), Word(raw, 3), Word(raw, 4), Word(raw, 5), Word(raw, 6), Word(raw, 7), (uint)Word(raw, 8));
    }

    /// <inheritdoc/>
    public override Result<int> OpenDescriptor(ReadOnlySpan<byte> name, OpenFlags flags, out NinePAttributes attributes)
    {
        attributes = default;
        NinePFile file = this;
        if (!name.IsEmpty)
        {
            if (!Walk(name).TryGet(out NinePFile? walked, out Errno missing))
            {
                return missing;
            }

            file = walked;
        }

        HostNinePFile found = (HostNinePFile)file;
        int before = found._openFd; // what the fid itself was opened for stays
        found._openFd = -1;
        Result<NinePAttributes> stat = found.GetAttributes();
        Errno errno = !stat.IsOk ? stat.Errno : (stat.Value.Mode & Mode.S_IFMT) != Mode.S_IFREG ? Errno.EACCES : found.Open(flags);
        int descriptor = found._openFd;
        found._openFd = before;
        if (file != this)
        {
            file.Dispose();
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        attributes = stat.Value;
        return descriptor;
    }

    /// <inheritdoc/>
    public override Result<int> CreateDescriptor(ReadOnlySpan<byte> name, OpenFlags flags, Mode mode, uint uid, uint gid, out NinePAttributes attributes)
    {
        attributes = default;
        if (_tree.IsReadOnly)
        {
            return Errno.EROFS;
        }

        if (!HostDirectory.Create(_fd, name, (flags & Permitted) | OpenFlags.O_EXCL | OpenFlags.O_NOFOLLOW, mode).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        if (HostFile.Stat(fd).TryGet(out HostStat stat, out errno) && (stat.Uid != uid || stat.Gid != gid))
        {
            errno = HostDirectory.SetOwner(fd, uid, gid);
            stat = HostFile.Stat(fd).TryGet(out HostStat again, out _) ? again : stat;
        }

        if (errno != Errno.None)
        {
            HostDirectory.Unlink(_fd, name, isDirectory: false);
            HostMemory.Close(fd);
            return errno;
        }

        attributes = ToAttributes(stat);
        return fd;
    }

    /// <inheritdoc/>
    public override void CloseDescriptor(int descriptor) => HostMemory.Close(descriptor);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        HostMemory.Close(_fd);
        if (_openFd >= 0)
        {
            HostMemory.Close(_openFd);
        }

        base.Dispose(disposing);
    }

    private static Result<int> ToCount(SyscallResult result) => result.IsError ? result.Errno : (int)result.Raw;

    internal static NinePAttributes ToAttributes(in HostStat stat) => new()
    {
        Qid = new Qid(Qid.TypeOf((Mode)stat.Mode), (uint)(stat.ModifyTime.Nanoseconds ^ (stat.ModifyTime.Seconds << 8)), stat.Inode),
        Mode = (Mode)stat.Mode,
        Uid = stat.Uid,
        Gid = stat.Gid,
        LinkCount = stat.LinkCount,
        SpecialDevice = stat.SpecialDevice,
        Size = (ulong)stat.Size,
        BlockSize = (ulong)stat.BlockSize,
        Blocks = (ulong)stat.Blocks,
        AccessTime = stat.AccessTime,
        ModifyTime = stat.ModifyTime,
        ChangeTime = stat.ChangeTime,
    };

    private Errno CanChange(ReadOnlySpan<byte> name) => _tree.IsReadOnly ? Errno.EROFS : UserAttributes.Has(name) ? Errno.None : Errno.EOPNOTSUPP;

    // Attributes of users are on files and directories only; the calls do not take the descriptor that holds the file.
    private Result<int> OpenForAttributes()
    {
        if (!HostFile.Stat(_fd).TryGet(out HostStat stat, out Errno errno))
        {
            return errno;
        }

        return ((Mode)stat.Mode & Mode.S_IFMT) is Mode.S_IFREG or Mode.S_IFDIR
            ? HostFile.OpenAt(_tree.DescriptorsFd, MagicName, OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK | OpenFlags.O_NOCTTY) : Errno.EOPNOTSUPP;
    }

    private Errno Truncate(ulong size)
    {
        if (!HostFile.OpenAt(_tree.DescriptorsFd, MagicName, OpenFlags.O_WRONLY | OpenFlags.O_NONBLOCK).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        errno = HostMemory.Truncate(fd, (long)size);
        HostMemory.Close(fd);
        return errno;
    }

    // Gives what was just made its group, and its identification.
    private Result<Qid> Made(ReadOnlySpan<byte> name, Errno errno, uint gid)
    {
        if (errno != Errno.None || !HostFile.OpenAt(_fd, name, Hold).TryGet(out int fd, out errno))
        {
            return errno;
        }

        if (HostFile.Stat(fd).TryGet(out HostStat stat, out errno) && stat.Gid != gid)
        {
            errno = HostDirectory.SetOwner(fd, uint.MaxValue, gid);
        }

        HostMemory.Close(fd);
        return errno != Errno.None ? errno : ToAttributes(stat).Qid;
    }
}
