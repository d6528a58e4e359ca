using Moat.Host;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>A file at the Gofer, known by its parent and name. Operations go there; attributes are kept, and used without asking where nobody else changes the files.</summary>
internal sealed class GoferInode : Inode
{
    private readonly GoferFilesystem _tree;
    private readonly Lock _stateLock = new();
    private readonly byte[] _target;
    private readonly List<GoferFile> _open = []; // guarded by _stateLock
    private NinePAttributes _attributes; // guarded by _stateLock
    private readonly GoferPlaces _places;
    private int _createdFd = -1; // guarded by _stateLock: from the call that made the file, for the open that follows

    public GoferInode(GoferFilesystem tree, GoferInode? parent, FileName? name, in NinePAttributes attributes, byte[] target)
        : base(tree)
    {
        _tree = tree;
        _places = new GoferPlaces(parent, name);
        _attributes = attributes;
        _target = target;
        FileType = attributes.Mode & Mode.S_IFMT;
    }

    /// <inheritdoc/>
    public override Mode FileType { get; }

    /// <summary>A directory's fid; valid while <see cref="FidNode"/> is set. Guarded by the connection's lock.</summary>
    public uint Fid { get; set; }

    /// <summary>Its place in the connection's list of fids.</summary>
    public LinkedListNode<GoferInode>? FidNode { get; set; }

    /// <summary>Where it is.</summary>
    public (GoferInode? Parent, FileName? Name, bool IsUnlinked) Place => _places.Current;

    private NinePClient Client => _tree.Connection.Client;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Errno errno = _tree.IsShared ? Refresh() : Errno.None;
        lock (_stateLock)
        {
            attributes = new InodeAttributes
            {
                Device = _tree.Device,
                Inode = _attributes.Qid.Path,
                Mode = _attributes.Mode,
                LinkCount = (uint)_attributes.LinkCount,
                Uid = _attributes.Uid,
                Gid = _attributes.Gid,
                SpecialDevice = new DeviceNumber(_attributes.SpecialDevice),
                Size = (long)_attributes.Size,
                BlockSize = (uint)_attributes.BlockSize,
                Blocks = _attributes.Blocks,
                AccessTime = _attributes.AccessTime,
                ModifyTime = _attributes.ModifyTime,
                ChangeTime = _attributes.ChangeTime,
            };
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Errno GetOwnership(out FileOwnership ownership)
    {
        Errno errno = _tree.IsShared ? Refresh() : Errno.None;
        ownership = new FileOwnership(_attributes.Mode, _attributes.Uid, _attributes.Gid); // without the lock: each is read as a whole
        return errno;
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
        if (Place.IsUnlinked && AnyHandle(forWriting: true) is { } file)
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
                ForEachHandle(handle => handle.Truncated(size));
            }
        }

        return errno;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child)
    {
        Result<(NinePAttributes Attributes, byte[] Target)> found = Ask(name);
        if (child is not GoferInode known)
        {
            return found.Errno == Errno.ENOENT;
        }

        if (!found.IsOk || found.Value.Attributes.Qid.Path != known._attributes.Qid.Path || (found.Value.Attributes.Mode & Mode.S_IFMT) != known.FileType || !found.Value.Target.AsSpan().SequenceEqual(known._target))
        {
            return false;
        }

        lock (known._stateLock)
        {
            known._attributes = found.Value.Attributes;
        }

        return true;
    }

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name) =>
        Ask(name).TryGet(out (NinePAttributes Attributes, byte[] Target) found, out Errno errno) ? new GoferInode(_tree, this, name, found.Attributes, found.Target) : errno;

    /// <inheritdoc/>
    public override Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner)
    {
        if ((mode & Mode.S_IFMT) != Mode.S_IFREG)
        {
            uint gid = owner.Gid;
            return Make(task, name, owner.Uid, fid => Client.MakeNode(fid, name.Bytes, mode, device, gid));
        }

        lock (_tree.Connection.Lock)
        {
            if (!_tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno)
                || !Client.CreateAt(fid, name.Bytes, OpenFlags.O_RDWR, mode & Mode.PermissionMask, owner.Uid, owner.Gid).TryGet(out (int Descriptor, NinePAttributes Attributes) made, out errno))
            {
                return errno;
            }

            return new GoferInode(_tree, this, name, made.Attributes, []) { _createdFd = made.Descriptor };
        }
    }

    /// <inheritdoc/>
    public override Result<Inode> MakeDirectory(GuestTask task, FileName name, Mode permissions, in NewOwner owner)
    {
        uint gid = owner.Gid;
        return Make(task, name, owner.Uid, fid => Client.MakeDirectory(fid, name.Bytes, permissions, gid));
    }

    /// <inheritdoc/>
    public override Result<Inode> MakeSymlink(GuestTask task, FileName name, ReadOnlySpan<byte> target, in NewOwner owner)
    {
        uint gid = owner.Gid;
        byte[] text = target.ToArray();
        return Make(task, name, owner.Uid, fid => Client.MakeSymlink(fid, name.Bytes, text, gid));
    }

    /// <inheritdoc/>
    public override Errno Link(GuestTask task, FileName name, Inode target)
    {
        lock (_tree.Connection.Lock)
        {
            if (!_tree.Connection.Locate((GoferInode)target, out ReadOnlySpan<byte> old).TryGet(out uint above, out Errno errno)
                || !Client.Walk(above, old).TryGet(out uint own, out errno))
            {
                return errno;
            }

            errno = _tree.Connection.FidOf(this).TryGet(out uint fid, out errno) ? Client.Link(fid, own, name.Bytes) : errno;
            Client.Clunk(own);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        GoferInode linked = (GoferInode)target;
        linked._places.Add(this, name);
        linked.CountLink(1);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Unlink(GuestTask task, FileName name, Inode child) => Remove(name, (GoferInode)child, isDirectory: false);

    /// <inheritdoc/>
    public override Errno RemoveDirectory(GuestTask task, FileName name, Inode child) => Remove(name, (GoferInode)child, isDirectory: true);

    /// <inheritdoc/>
    public override Errno Rename(GuestTask task, FileName name, Inode child, Inode newDirectory, FileName newName, Inode? replaced, bool exchange)
    {
        if (exchange)
        {
            return Errno.EINVAL; // 9P has no exchange
        }

        GoferInode target = (GoferInode)newDirectory;
        GoferInode moved = (GoferInode)child;
        lock (_tree.Connection.Lock)
        {
            if (!_tree.Connection.FidOf(this).TryGet(out uint from, out Errno errno) || !_tree.Connection.FidOf(target).TryGet(out uint to, out errno))
            {
                return errno;
            }

            errno = Client.Rename(from, name.Bytes, to, newName.Bytes);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        if (replaced is GoferInode gone)
        {
            gone._places.Remove(target, newName);
            gone.CountLink(-1);
        }

        moved._places.Move(this, name, target, newName);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<byte[]> ReadSymlink(GuestTask? task) => FileType == Mode.S_IFLNK ? _target : Errno.EINVAL;

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        switch (FileType)
        {
            case Mode.S_IFDIR:
                return new GoferDirectory(this, flags, location);
            case Mode.S_IFREG:
                return OpenFile(flags, location);
            case Mode.S_IFCHR or Mode.S_IFBLK:
                lock (_stateLock)
                {
                    return task.Kernel.Devices.Open(task, location, new DeviceNumber(_attributes.SpecialDevice), flags);
                }

            default:
                return Errno.ENXIO;
        }
    }

    /// <summary>All entries of the directory, "." and ".." left out.</summary>
    internal Result<List<NinePDirectoryEntry>> List()
    {
        lock (_tree.Connection.Lock)
        {
            if (!_tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno) || !Client.Walk(fid, default).TryGet(out uint own, out errno))
            {
                return errno;
            }

            List<NinePDirectoryEntry> all = [];
            errno = Client.Open(own, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
            ulong cookie = 0;
            while (errno == Errno.None && Client.ReadDirectory(own, cookie).TryGet(out IReadOnlyList<NinePDirectoryEntry>? some, out errno) && some.Count > 0)
            {
                foreach (NinePDirectoryEntry entry in some)
                {
                    // The Gofer is not trusted to send names.
                    if (entry.Name.Length is > 0 and <= FileName.MaxLength && entry.Name.AsSpan().IndexOfAny((byte)'/', (byte)0) < 0
                        && !entry.Name.AsSpan().SequenceEqual("."u8) && !entry.Name.AsSpan().SequenceEqual(".."u8))
                    {
                        all.Add(entry);
                    }
                }

                cookie = some[^1].Cookie;
            }

            Client.Clunk(own);
            return errno == Errno.None ? all : errno;
        }
    }

    /// <summary>A description has gone.</summary>
    internal void Closed(GoferFile file)
    {
        lock (_stateLock)
        {
            _open.Remove(file);
        }
    }

    /// <summary>Tells the other descriptions of the same inode.</summary>
    internal void ForEachHandle(Action<GoferFile> action)
    {
        GoferFile[] handles;
        lock (_stateLock)
        {
            handles = [.. _open];
        }

        foreach (GoferFile handle in handles)
        {
            action(handle);
        }
    }

    private Result<FileDescription> OpenFile(OpenFlags flags, PathLocation location)
    {
        int fd;
        lock (_stateLock)
        {
            fd = _createdFd;
            _createdFd = -1;
        }

        if (fd < 0)
        {
            lock (_tree.Connection.Lock)
            {
                // Truncation is the VFS's business; reading along is what a mapping or an append needs.
                if (!_tree.Connection.Locate(this, out ReadOnlySpan<byte> name).TryGet(out uint fid, out Errno errno))
                {
                    return errno;
                }

                OpenFlags mode = (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_RDONLY ? OpenFlags.O_RDONLY : OpenFlags.O_RDWR;
                Result<(int Descriptor, NinePAttributes Attributes)> result = Client.OpenAt(fid, name, mode | (flags & (OpenFlags.O_SYNC | OpenFlags.O_DSYNC)));
                if (result.Errno == Errno.EACCES && mode == OpenFlags.O_RDWR && (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY)
                {
                    result = Client.OpenAt(fid, name, OpenFlags.O_WRONLY);
                }

                if (!result.TryGet(out (int Descriptor, NinePAttributes Attributes) opened, out errno))
                {
                    return errno;
                }

                fd = opened.Descriptor;
            }
        }

        GoferFile file = new(this, fd, _tree.IsShared, flags, location);
        lock (_stateLock)
        {
            _open.Add(file);
        }

        return file;
    }

    private Result<(NinePAttributes Attributes, byte[] Target)> Ask(FileName name)
    {
        lock (_tree.Connection.Lock)
        {
            return _tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno) ? Client.Lookup(fid, name.Bytes) : errno;
        }
    }

    private Errno Refresh()
    {
        // An open descriptor tells without asking the Gofer, and tells of this very file whatever has become of its name.
        NinePAttributes fresh;
        if (AnyHandle() is { } file)
        {
            Errno failed = file.GetAttributes(out fresh);
            file.Release();
            if (failed != Errno.None)
            {
                return failed;
            }
        }
        else
        {
            lock (_tree.Connection.Lock)
            {
                if (!_tree.Connection.Locate(this, out ReadOnlySpan<byte> name).TryGet(out uint fid, out Errno errno)
                    || !Client.Lookup(fid, name).TryGet(out (NinePAttributes Attributes, byte[] Target) found, out errno))
                {
                    return errno == Errno.ENOENT ? Errno.None : errno; // it has lost its name: what was known of it stays
                }

                if (found.Attributes.Qid.Path != _attributes.Qid.Path)
                {
                    return Errno.None; // another file has its name
                }

                fresh = found.Attributes;
            }
        }

        lock (_stateLock)
        {
            if ((fresh.Mode & Mode.S_IFMT) == FileType)
            {
                _attributes = fresh with { Qid = _attributes.Qid };
            }
        }

        return Errno.None;
    }

    // Any open description of the file, held for the caller, who releases it.
    private GoferFile? AnyHandle(bool forWriting = false)
    {
        lock (_stateLock)
        {
            GoferFile? best = forWriting ? _open.Find(static file => file.CanWrite) ?? _open.FirstOrDefault() : _open.FirstOrDefault();
            return best is not null && best.TryAddReference() ? best : null;
        }
    }

    private void CountLink(int by)
    {
        lock (_stateLock)
        {
            _attributes.LinkCount = (ulong)Math.Max(0, (long)_attributes.LinkCount + by);
        }
    }

    private Result<Inode> Make(GuestTask task, FileName name, uint uid, Func<uint, Errno> make)
    {
        GoferInode made;
        lock (_tree.Connection.Lock)
        {
            if (!_tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno))
            {
                return errno;
            }

            errno = make(fid);
            if (errno != Errno.None || !Client.Lookup(fid, name.Bytes).TryGet(out (NinePAttributes Attributes, byte[] Target) found, out errno))
            {
                return errno;
            }

            made = new GoferInode(_tree, this, name, found.Attributes, found.Target);
        }

        if (made._attributes.Uid != uid)
        {
            Errno errno = made.SetAttributes(task, new AttributeChange { Uid = uid });
            if (errno != Errno.None)
            {
                Remove(name, made, made.IsDirectory);
                return errno;
            }
        }

        return made;
    }

    private Errno Remove(FileName name, GoferInode child, bool isDirectory)
    {
        lock (_tree.Connection.Lock)
        {
            if (!_tree.Connection.FidOf(this).TryGet(out uint fid, out Errno errno))
            {
                return errno;
            }

            errno = Client.Unlink(fid, name.Bytes, isDirectory);
            if (errno != Errno.None)
            {
                return errno;
            }

            _tree.Connection.Forget(child);
        }

        child._places.Remove(this, name);
        child.CountLink(isDirectory ? int.MinValue : -1);
        return Errno.None;
    }
}
