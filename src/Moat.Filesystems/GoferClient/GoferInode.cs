using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>A file at the Gofer, known by its parent and name. Operations go there; attributes are kept, and used without asking where nobody changes the files.</summary>
internal sealed class GoferInode : Inode
{
    private readonly GoferFilesystem _tree;
    private readonly byte[] _target;
    private readonly GoferPlaces _places;
    private readonly GoferHandles? _handles; // of regular files that others may change
    private InodeAttributes _attributes; // guarded by _places.Lock in a shared tree, constant otherwise
    private GoferOpenAhead? _openAhead; // guarded by the connection's lock
    private volatile bool _isRead; // whether a listing was asked for
    private int _lookups; // guarded by DirectoryLock: names that were asked for one by one

    public GoferInode(GoferFilesystem tree, GoferInode? parent, FileName? name, in NinePAttributes attributes, byte[] target)
        : base(tree)
    {
        _tree = tree;
        _places = new GoferPlaces(parent, name);
        _target = target;
        FileType = attributes.Mode & Mode.S_IFMT;
        _attributes = ToAttributes(attributes);
        _handles = tree.IsShared && FileType == Mode.S_IFREG ? new GoferHandles() : null;
    }

    /// <inheritdoc/>
    public override Mode FileType { get; }

    /// <summary>What the Gofer identifies it by.</summary>
    public ulong Number => _attributes.Inode;

    /// <summary>A directory's fid; valid while <see cref="FidNode"/> is set. Guarded by the connection's lock.</summary>
    public uint Fid { get; set; }

    /// <summary>Its place in the connection's list of fids.</summary>
    public LinkedListNode<GoferInode>? FidNode { get; set; }

    /// <summary>A directory's entries, while they are kept. Set by <see cref="GoferListings"/>.</summary>
    public GoferListing? Listing { get; set; }

    /// <summary>The descriptor that all open descriptions use, in a tree that nobody changes. Guarded by <see cref="GoferDescriptors"/>.</summary>
    public GoferDescriptor? Descriptor { get; set; }

    /// <summary>Where it is.</summary>
    public GoferPlaces Places => _places;

    /// <summary>The tree it is in.</summary>
    public GoferFilesystem Tree => _tree;

    private NinePClient Client => _tree.Connection.Client;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        if (!_tree.IsShared)
        {
            attributes = _attributes;
            return Errno.None;
        }

        Errno errno = Refresh();
        lock (_places.Lock)
        {
            attributes = _attributes;
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Errno GetOwnership(out FileOwnership ownership)
    {
        ownership = FileOwnership.Of(_attributes); // without the lock: each field is read as a whole
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno GetWalkedAttributes(out InodeAttributes attributes)
    {
        lock (_places.Lock)
        {
            attributes = _attributes;
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(GuestTask task, in AttributeChange change)
    {
        NinePAttributeChange wanted = new()
        {
            Permissions = change.Permissions,
            Uid = change.Uid,
            Gid = change.Gid,
            Size = (ulong?)change.Size,
            AccessTime = change.AccessTime,
            ModifyTime = change.ModifyTime,
        };
        Errno errno;
        if (_places.Current.IsUnlinked && _handles?.Any(forWriting: true) is { } file)
        {
            errno = file.SetAttributes(wanted); // it can still be reached through a descriptor
            file.Release();
        }
        else
        {
            lock (_tree.Connection.Lock)
            {
                if (!_tree.Connection.Locate(this, out ReadOnlySpan<byte> name).TryGet(out uint fid, out errno) || !Client.Walk(fid, name).TryGet(out uint own, out errno))
                {
                    return errno;
                }

                errno = Client.SetAttributes(own, wanted);
                Client.Clunk(own);
            }
        }

        if (errno == Errno.None)
        {
            Refresh();
            if (change.Size is { } size)
            {
                _handles?.Truncated(size);
            }
        }

        return errno;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child)
    {
        Result<(NinePAttributes Attributes, byte[] Target)> found = Ask(name);
        return child is GoferInode known ? found.IsOk && known.Adopt(found.Value.Attributes, found.Value.Target) : found.Errno == Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override IWalkedPath? WalkAhead(ReadOnlySpan<byte> path)
    {
        GoferPath walked = new();
        Result<NinePAttributes> own;
        lock (_tree.Connection.Lock)
        {
            own = _tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno) ? walked.Ask(Client, fid, path) : errno;
        }

        if (own.IsOk && Adopt(own.Value, _target))
        {
            return walked;
        }

        Refresh();
        return null;
    }

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (!_tree.IsShared && FindListed() is { } listing)
        {
            return listing.Find(name) is >= 0 and int at ? listing.InodeOf(this, at) : Errno.ENOENT;
        }

        return Ask(name).TryGet(out (NinePAttributes Attributes, byte[] Target) found, out Errno errno) ? new GoferInode(_tree, this, name, found.Attributes, found.Target) : errno;
    }

    /// <inheritdoc/>
    public override Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner) => GoferNames.MakeNode(task, this, name, mode, device, owner);

    /// <inheritdoc/>
    public override Result<Inode> MakeDirectory(GuestTask task, FileName name, Mode permissions, in NewOwner owner) => GoferNames.MakeDirectory(task, this, name, permissions, owner);

    /// <inheritdoc/>
    public override Result<Inode> MakeSymlink(GuestTask task, FileName name, ReadOnlySpan<byte> target, in NewOwner owner) => GoferNames.MakeSymlink(task, this, name, target, owner);

    /// <inheritdoc/>
    public override Errno Link(GuestTask task, FileName name, Inode target) => GoferNames.Link(this, name, (GoferInode)target);

    /// <inheritdoc/>
    public override Errno Unlink(GuestTask task, FileName name, Inode child) => GoferNames.Remove(this, name, (GoferInode)child, isDirectory: false);

    /// <inheritdoc/>
    public override Errno RemoveDirectory(GuestTask task, FileName name, Inode child) => GoferNames.Remove(this, name, (GoferInode)child, isDirectory: true);

    /// <inheritdoc/>
    public override Errno Rename(GuestTask task, FileName name, Inode child, Inode newDirectory, FileName newName, Inode? replaced, bool exchange) =>
        exchange ? Errno.EINVAL : GoferNames.Rename(this, name, (GoferInode)child, (GoferInode)newDirectory, newName, (GoferInode?)replaced); // 9P has no exchange

    /// <inheritdoc/>
    public override Result<byte[]> ReadSymlink(GuestTask? task) => FileType == Mode.S_IFLNK ? _target : Errno.EINVAL;

    /// <inheritdoc/>
    public override Result<byte[]> GetExtendedAttribute(GuestTask task, FileName name) => GoferExtendedAttributes.Get(this, name.Bytes);

    /// <inheritdoc/>
    public override Errno SetExtendedAttribute(GuestTask task, FileName name, ReadOnlySpan<byte> value, int flags) => GoferExtendedAttributes.Set(this, name.Bytes, value, flags);

    /// <inheritdoc/>
    public override Errno RemoveExtendedAttribute(GuestTask task, FileName name) => GoferExtendedAttributes.Remove(this, name.Bytes);

    /// <inheritdoc/>
    public override Result<byte[]> ListExtendedAttributes(GuestTask task) => GoferExtendedAttributes.List(this);

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        switch (FileType)
        {
            case Mode.S_IFDIR:
                return new GoferDirectory(this, flags, location);
            case Mode.S_IFREG:
                return _tree.IsShared ? OpenShared(flags, location) : OpenConstant(flags, location);
            case Mode.S_IFCHR or Mode.S_IFBLK:
                return task.Kernel.Devices.Open(task, location, _attributes.SpecialDevice, flags);
            default:
                return Errno.ENXIO;
        }
    }

    /// <summary>All entries of the directory; in a tree that nobody changes they are kept.</summary>
    public Result<GoferListing> List()
    {
        const long MaxAgeNs = 1_000_000_000;
        if (FindCurrent(MaxAgeNs) is { } kept)
        {
            _isRead = true;
            return kept;
        }

        // Who reads a directory and then one of those in it goes through them all.
        _isRead = true;
        bool withBelow = _places.Current.Parent is { _isRead: true };
        if (!_tree.IsShared && _tree.Connection.ListWithAttributes(this, GoferListings.MaxEntries, withBelow).TryGet(out GoferListing? all, out _))
        {
            _tree.Listings.Add(this, all);
            return all;
        }

        return _tree.Connection.List(this);
    }

    /// <summary>A description has gone.</summary>
    public void Closed(GoferFile file) => _handles!.Remove(file);

    // What is in this directory, if that is known or worth being asked for: who wants some names of a directory wants more of them, there or not.
    private GoferListing? FindListed()
    {
        const int Few = 4;
        const int Many = 64;
        const long MaxAgeNs = 100_000_000;
        if (FindCurrent(MaxAgeNs) is { } kept)
        {
            return kept;
        }

        // Small directories early, large ones only for who keeps asking.
        _lookups++;
        if ((_lookups != Few && _lookups != Many) || !_tree.Connection.ListWithAttributes(this, _lookups == Few ? GoferListings.MaxEntries / 16 : GoferListings.MaxEntries, withBelow: false).TryGet(out GoferListing? listing, out _))
        {
            return null;
        }

        _lookups = 0;
        _tree.Listings.Add(this, listing);
        return listing;
    }

    // The listing that is kept, unless somebody has changed the directory all the same.
    private GoferListing? FindCurrent(long maxAgeNs)
    {
        if (Listing is not { } kept)
        {
            return null;
        }

        if (_tree.Connection.IsCurrent(this, kept, maxAgeNs))
        {
            return kept;
        }

        Listing = null;
        return null;
    }

    private Result<FileDescription> OpenConstant(OpenFlags flags, PathLocation location)
    {
        if ((flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY)
        {
            return Errno.EROFS;
        }

        GoferDescriptor? descriptor = _tree.Descriptors.TryUse(this);
        if (descriptor is null)
        {
            int ahead = _places.Current.Parent?.OpenInOrder(this) ?? -1;
            if (!(ahead >= 0 ? ahead : OpenAtGofer(OpenFlags.O_RDONLY)).TryGet(out int fd, out Errno errno))
            {
                return errno;
            }

            descriptor = _tree.Descriptors.Add(this, fd);
        }

        return new GoferFile(this, descriptor, _tree, flags, location);
    }

    private int OpenInOrder(GoferInode file)
    {
        lock (_tree.Connection.Lock)
        {
            return (_openAhead ??= new GoferOpenAhead(this)).Open(file);
        }
    }

    private Result<FileDescription> OpenShared(OpenFlags flags, PathLocation location)
    {
        int fd = _handles!.TakeCreated();
        if (fd < 0)
        {
            // Truncation is the VFS's business; reading along is what a mapping or an append needs.
            OpenFlags mode = (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_RDONLY ? OpenFlags.O_RDONLY : OpenFlags.O_RDWR;
            Result<int> opened = OpenAtGofer(mode | (flags & (OpenFlags.O_SYNC | OpenFlags.O_DSYNC)));
            if (opened.Errno == Errno.EACCES && mode == OpenFlags.O_RDWR && (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY)
            {
                opened = OpenAtGofer(OpenFlags.O_WRONLY);
            }

            if (!opened.TryGet(out fd, out Errno errno))
            {
                return errno;
            }
        }

        GoferFile file = new(this, fd, _tree, flags, location);
        _handles.Add(file);
        return file;
    }

    private Result<int> OpenAtGofer(OpenFlags flags)
    {
        lock (_tree.Connection.Lock)
        {
            return !_tree.Connection.Locate(this, out ReadOnlySpan<byte> name).TryGet(out uint fid, out Errno errno) ? errno
                : Client.OpenAt(fid, name, flags).TryGet(out (int Descriptor, NinePAttributes Attributes) opened, out errno) ? opened.Descriptor : errno;
        }
    }

    /// <summary>Keeps the descriptor of the call that made it for the open that follows.</summary>
    public void KeepCreated(int fd) => _handles!.SetCreated(fd);

    private Result<(NinePAttributes Attributes, byte[] Target)> Ask(FileName name)
    {
        lock (_tree.Connection.Lock)
        {
            return _tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno) ? Client.Lookup(fid, name.Bytes) : errno;
        }
    }

    /// <summary>Takes on fresh attributes, if they are of this file and not of another one that has its name now.</summary>
    public bool Adopt(in NinePAttributes fresh, ReadOnlySpan<byte> target)
    {
        if (fresh.Qid.Path != Number || (fresh.Mode & Mode.S_IFMT) != FileType || !target.SequenceEqual(_target))
        {
            return false;
        }

        lock (_places.Lock)
        {
            _attributes = ToAttributes(fresh);
        }

        return true;
    }

    private Errno Refresh()
    {
        // An open descriptor tells without asking the Gofer, and tells of this very file whatever has become of its name.
        if (_handles?.Any() is { } file)
        {
            Errno failed = file.GetAttributes(out NinePAttributes own);
            file.Release();
            if (failed == Errno.None)
            {
                Adopt(own with { Qid = new Qid(0, 0, Number) }, _target);
            }

            return failed;
        }

        Result<(NinePAttributes Attributes, byte[] Target)> found;
        lock (_tree.Connection.Lock)
        {
            found = _tree.Connection.Locate(this, out ReadOnlySpan<byte> name).TryGet(out uint fid, out Errno errno) ? Client.Lookup(fid, name) : errno;
        }

        if (found.IsOk)
        {
            Adopt(found.Value.Attributes, _target);
        }

        return found.Errno == Errno.ENOENT ? Errno.None : found.Errno; // it has lost its name: what was known of it stays
    }

    /// <summary>It got or lost a name here.</summary>
    public void CountLink(int by)
    {
        lock (_places.Lock)
        {
            _attributes.LinkCount = (uint)Math.Max(0, _attributes.LinkCount + (long)by);
        }
    }

    private InodeAttributes ToAttributes(in NinePAttributes told) => new()
    {
        Device = _tree.Device,
        Inode = told.Qid.Path,
        Mode = told.Mode,
        LinkCount = (uint)told.LinkCount,
        Uid = told.Uid,
        Gid = told.Gid,
        SpecialDevice = new DeviceNumber(told.SpecialDevice),
        Size = (long)told.Size,
        BlockSize = (uint)told.BlockSize,
        Blocks = told.Blocks,
        AccessTime = told.AccessTime,
        ModifyTime = told.ModifyTime,
        ChangeTime = told.ChangeTime,
    };
}
