using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>A file of an overlay: what both layers have of it. Its number stays the same when it is copied up.</summary>
internal sealed class OverlayInode : Inode
{
    private const ulong UpperNumbers = 1UL << 52; // keeps the numbers of the two layers apart

    private readonly OverlayFilesystem _overlay;
    private readonly Inode? _lower;
    private readonly ulong _number;
    private Inode? _upper; // written under CopyLock
    private OverlayInode? _parent; // written under CopyLock
    private FileName? _name; // written under CopyLock; the name in the parent's upper directory
    private bool _isUnlinked; // guarded by CopyLock: the lower name is gone
    private bool _isDead; // guarded by DirectoryLock: a removed directory

    private OverlayChildren? _children; // set once
    private Dentry? _layerName; // what the layer's file was last opened as

    private OverlayInode(OverlayFilesystem overlay, OverlayInode? parent, FileName? name, Inode? lower, Inode? upper)
        : base(overlay)
    {
        _overlay = overlay;
        _parent = parent;
        _name = name;
        _lower = lower;
        _upper = upper;
        Inode first = lower ?? upper!;
        first.GetAttributes(out InodeAttributes attributes);
        FileType = first.FileType;
        _number = lower is null ? attributes.Inode | UpperNumbers : attributes.Inode;
    }

    public override Mode FileType { get; }

    /// <summary>The file in the upper layer, once it has been changed.</summary>
    public Inode? Upper => Volatile.Read(ref _upper);

    /// <summary>Its number, whichever layer it is in.</summary>
    public ulong Number => _number;

    private Inode Shown => Upper ?? _lower!;

    private OverlayChildren Children => Volatile.Read(ref _children) ?? Interlocked.CompareExchange(ref _children, new OverlayChildren(), null) ?? _children;

    /// <summary>The top directory, which is in both layers.</summary>
    public static OverlayInode MakeRoot(OverlayFilesystem overlay, Inode lower, Inode upper) => new(overlay, null, null, lower, upper);

    /// <summary>A place for opening this file in one of the layers: the same as the last time, unless it has been copied up since.</summary>
    public PathLocation PlaceOf(Inode layerInode)
    {
        PathLocation place = _overlay.PlaceOf(layerInode, Volatile.Read(ref _layerName));
        Volatile.Write(ref _layerName, place.Dentry);
        return place;
    }

    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Inode? upper = Upper;
        Errno errno = (upper ?? _lower!).GetAttributes(out attributes);
        attributes.Device = Filesystem.Device;
        attributes.Inode = _number;
        if (upper is null && Volatile.Read(ref _isUnlinked))
        {
            attributes.LinkCount = IsDirectory ? 0 : attributes.LinkCount - 1;
        }
        else if (IsDirectory && upper is not null && _lower is not null && attributes.LinkCount > 0)
        {
            attributes.LinkCount = 1; // not known without a listing; find(1) takes 1 for that
        }

        return errno;
    }

    public override Errno GetOwnership(out FileOwnership ownership) => Shown.GetOwnership(out ownership);

    public override Errno SetAttributes(GuestTask task, in AttributeChange change)
    {
        return CopyUp(task, copyData: change.Size is not 0).TryGet(out Inode? upper, out Errno errno) ? upper.SetAttributes(task, change) : errno;
    }

    // A file that only the lower layer has is not changed for being read.
    public override void TouchAccessed(bool isRelative) => Upper?.TouchAccessed(isRelative);

    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (Volatile.Read(ref _children) is { } children && children.TryGet(name, out OverlayInode? known))
        {
            return known is null ? Errno.ENOENT : known;
        }

        return LookupLower(task, name).TryGet(out Inode? found, out Errno errno) ? new OverlayInode(_overlay, this, name, found, null) : errno;
    }

    public override Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner)
    {
        lock (_overlay.CopyLock)
        {
            if (!CopyUpDirectory(task).TryGet(out Inode? upper, out Errno errno))
            {
                return errno;
            }

            lock (upper.DirectoryLock)
            {
                return Adopt(name, upper.MakeNode(task, name, mode, device, owner));
            }
        }
    }

    public override Result<Inode> MakeDirectory(GuestTask task, FileName name, Mode permissions, in NewOwner owner)
    {
        lock (_overlay.CopyLock)
        {
            if (!CopyUpDirectory(task).TryGet(out Inode? upper, out Errno errno))
            {
                return errno;
            }

            lock (upper.DirectoryLock)
            {
                return Adopt(name, upper.MakeDirectory(task, name, permissions, owner));
            }
        }
    }

    public override Result<Inode> MakeSymlink(GuestTask task, FileName name, ReadOnlySpan<byte> target, in NewOwner owner)
    {
        lock (_overlay.CopyLock)
        {
            if (!CopyUpDirectory(task).TryGet(out Inode? upper, out Errno errno))
            {
                return errno;
            }

            lock (upper.DirectoryLock)
            {
                return Adopt(name, upper.MakeSymlink(task, name, target, owner));
            }
        }
    }

    public override Result<Inode> MakeUnnamed(GuestTask task, Mode permissions, in NewOwner owner, bool isLinkable)
    {
        if (!CopyUpDirectory(task).TryGet(out Inode? upper, out Errno errno))
        {
            return errno;
        }

        return upper.MakeUnnamed(task, permissions, owner, isLinkable).TryGet(out Inode? made, out errno) ? new OverlayInode(_overlay, null, null, null, made) : errno;
    }

    public override Errno Link(GuestTask task, FileName name, Inode target)
    {
        OverlayInode linked = (OverlayInode)target;
        lock (_overlay.CopyLock)
        {
            if (!CopyUpDirectory(task).TryGet(out Inode? upper, out Errno errno) || !linked.CopyUp(task, copyData: true).TryGet(out Inode? linkedUpper, out errno))
            {
                return errno;
            }

            lock (upper.DirectoryLock)
            {
                errno = upper.Link(task, name, linkedUpper);
            }

            if (errno == Errno.None)
            {
                Children.Keep(name, linked);
            }

            return errno;
        }
    }

    public override Errno Unlink(GuestTask task, FileName name, Inode child)
    {
        lock (_overlay.CopyLock)
        {
            return RemoveLocked(task, name, (OverlayInode)child);
        }
    }

    public override Errno RemoveDirectory(GuestTask task, FileName name, Inode child)
    {
        OverlayInode removed = (OverlayInode)child;
        Errno errno = removed.Kill(task);
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (_overlay.CopyLock)
        {
            errno = RemoveLocked(task, name, removed);
        }

        if (errno != Errno.None)
        {
            removed.Revive();
        }

        return errno;
    }

    public override Errno Rename(GuestTask task, FileName name, Inode child, Inode newDirectory, FileName newName, Inode? replaced, bool exchange)
    {
        OverlayInode other = (OverlayInode)newDirectory;
        OverlayInode? target = (OverlayInode?)replaced;
        bool kills = target is { IsDirectory: true } && !exchange;
        Errno errno = kills ? target!.Kill(task) : Errno.None;
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (_overlay.CopyLock)
        {
            errno = RenameLocked(task, name, (OverlayInode)child, other, newName, target, exchange);
        }

        if (errno != Errno.None && kills)
        {
            target!.Revive();
        }

        return errno;
    }

    public override Result<byte[]> ReadSymlink(GuestTask? task) => Shown.ReadSymlink(task);

    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        switch (FileType)
        {
            case Mode.S_IFDIR:
                return new OverlayDirectoryDescription(this, flags, location);
            case Mode.S_IFREG:
                return OpenRegular(task, location, flags);
            case Mode.S_IFIFO:
                return task.Kernel.Fifos.Open(task, this, location, flags);
            case Mode.S_IFCHR:
                Errno errno = GetAttributes(out InodeAttributes attributes);
                return errno == Errno.None ? task.Kernel.Devices.Open(task, location, attributes.SpecialDevice, flags) : errno;
            default:
                return Errno.ENXIO;
        }
    }

    public override Result<byte[]> GetExtendedAttribute(GuestTask task, FileName name)
    {
        Result<byte[]> result = Shown.GetExtendedAttribute(task, name);
        return !result.TryGet(out _, out Errno errno) && errno == Errno.EOPNOTSUPP && Upper is null ? Errno.ENODATA : result;
    }

    public override Errno SetExtendedAttribute(GuestTask task, FileName name, ReadOnlySpan<byte> value, int flags) =>
        CopyUp(task, copyData: true).TryGet(out Inode? upper, out Errno errno) ? upper.SetExtendedAttribute(task, name, value, flags) : errno;

    public override Errno RemoveExtendedAttribute(GuestTask task, FileName name)
    {
        if (Upper is null && !GetExtendedAttribute(task, name).TryGet(out _, out Errno missing))
        {
            return missing;
        }

        return CopyUp(task, copyData: true).TryGet(out Inode? upper, out Errno errno) ? upper.RemoveExtendedAttribute(task, name) : errno;
    }

    public override Result<byte[]> ListExtendedAttributes(GuestTask task)
    {
        Result<byte[]> result = Shown.ListExtendedAttributes(task);
        return !result.TryGet(out _, out Errno errno) && errno == Errno.EOPNOTSUPP && Upper is null ? Array.Empty<byte>() : result;
    }

    /// <summary>Opens the lower directory for being read as it is: ENOENT if something was changed in this one, which gives it an upper directory first.</summary>
    public Result<FileDescription> OpenUnchanged(GuestTask task) =>
        Upper is null ? _lower!.Open(task, PlaceOf(_lower), OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY) : Errno.ENOENT;

    /// <summary>The merged entries, "." and ".." first.</summary>
    public Result<List<OverlayEntry>> List(GuestTask task)
    {
        if (!ListLower(task).TryGet(out List<OverlayEntry>? lower, out Errno errno))
        {
            return errno;
        }

        List<OverlayEntry> entries = new(lower.Count + 2)
        {
            new OverlayEntry(new FileName("."), _number, Mode.S_IFDIR),
            new OverlayEntry(new FileName(".."), (_parent ?? this)._number, Mode.S_IFDIR),
        };
        lock (DirectoryLock)
        {
            Merge(lower, entries);
        }

        return entries;
    }

    private Result<FileDescription> OpenRegular(GuestTask task, PathLocation location, OpenFlags flags)
    {
        bool truncates = (flags & OpenFlags.O_TRUNC) != 0;
        Inode source = Shown;
        if ((truncates || (flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY) && !CopyUp(task, !truncates).TryGet(out source!, out Errno errno))
        {
            return errno;
        }

        return source.Open(task, PlaceOf(source), flags).TryGet(out FileDescription? file, out errno) ? new OverlayFileDescription(this, file, flags, location) : errno;
    }

    private Result<Inode> CopyUp(GuestTask task, bool copyData)
    {
        if (Upper is { } there)
        {
            return there;
        }

        lock (_overlay.CopyLock)
        {
            if (_upper is not null)
            {
                return _upper;
            }

            // What has lost its name may have lost its directory, too: the root's takes it, without a name.
            OverlayInode directory = _isUnlinked ? (OverlayInode)_overlay.Root : _parent!;
            if (!directory.CopyUp(task, copyData: true).TryGet(out Inode? parentUpper, out Errno errno)
                || !OverlayCopyUp.Copy(task, _overlay, _lower!, parentUpper, _isUnlinked ? null : _name, copyData).TryGet(out Inode? upper, out errno))
            {
                return errno;
            }

            Volatile.Write(ref _upper, upper);
            if (!_isUnlinked)
            {
                _parent!.Children.Keep(_name!, this); // what was changed cannot be found by a lookup any more
            }

            return upper;
        }
    }

    private Result<Inode> CopyUpDirectory(GuestTask task) => _isDead ? Errno.ENOENT : CopyUp(task, copyData: true);

    private Errno RemoveLocked(GuestTask task, FileName name, OverlayInode child)
    {
        if (!CopyUpDirectory(task).TryGet(out Inode? upper, out Errno errno))
        {
            return errno;
        }

        if (child._upper is { } childUpper)
        {
            lock (upper.DirectoryLock)
            {
                errno = child.IsDirectory ? upper.RemoveDirectory(task, name, childUpper) : upper.Unlink(task, name, childUpper);
            }
        }
        else
        {
            child._isUnlinked = true;
            errno = upper.SetAttributes(task, new AttributeChange { ModifyTime = Timespec.FromNanoseconds(task.Kernel.Clock.RealtimeNs) });
        }

        if (errno == Errno.None)
        {
            Forget(task, name);
        }

        return errno;
    }

    private Errno RenameLocked(GuestTask task, FileName name, OverlayInode moved, OverlayInode newDirectory, FileName newName, OverlayInode? replaced, bool exchange)
    {
        if (!CopyUpDirectory(task).TryGet(out Inode? from, out Errno errno)
            || !newDirectory.CopyUpDirectory(task).TryGet(out Inode? to, out errno)
            || !moved.CopyUp(task, copyData: true).TryGet(out Inode? movedUpper, out errno)
            || (exchange && !replaced!.CopyUp(task, copyData: true).TryGet(out _, out errno)))
        {
            return errno;
        }

        // CopyLock fixes the order of the two.
        lock (from.DirectoryLock)
        {
            lock (to.DirectoryLock)
            {
                errno = from.Rename(task, name, movedUpper, to, newName, replaced?._upper, exchange);
            }
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        if (exchange)
        {
            Children.Keep(name, replaced!);
            replaced!._parent = this;
            replaced._name = name;
        }
        else
        {
            Forget(task, name);
            if (replaced is { _upper: null })
            {
                replaced._isUnlinked = true;
            }
        }

        newDirectory.Children.Keep(newName, moved);
        moved._parent = newDirectory;
        moved._name = newName;
        return Errno.None;
    }

    private Result<Inode> Adopt(FileName name, Result<Inode> made) =>
        made.TryGet(out Inode? upper, out Errno errno) ? Children.Keep(name, new OverlayInode(_overlay, this, name, null, upper)) : errno;

    private void Forget(GuestTask task, FileName name) => Children.Remove(name, isInLower: LookupLower(task, name).TryGet(out _, out _));

    private void Merge(List<OverlayEntry> lower, List<OverlayEntry> entries)
    {
        if (Volatile.Read(ref _children) is { } children)
        {
            children.Merge(lower, entries);
        }
        else
        {
            entries.AddRange(lower);
        }
    }

    private Result<Inode> LookupLower(GuestTask? task, FileName name)
    {
        if (_lower is null)
        {
            return Errno.ENOENT;
        }

        lock (_lower.DirectoryLock)
        {
            return _lower.Lookup(task, name);
        }
    }

    private Result<List<OverlayEntry>> ListLower(GuestTask task)
    {
        OverlayEntryList list = new();
        if (_lower is null)
        {
            return list.Entries;
        }

        if (!_lower.Open(task, PlaceOf(_lower), OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY).TryGet(out FileDescription? directory, out Errno errno))
        {
            return errno;
        }

        errno = directory.ReadDirectory(task, list);
        directory.Release();
        return errno == Errno.None ? list.Entries : errno;
    }

    // Marks a directory as removed, so that nothing is made in it from now on: ENOTEMPTY if it has entries.
    private Errno Kill(GuestTask task)
    {
        if (!ListLower(task).TryGet(out List<OverlayEntry>? lower, out Errno errno))
        {
            return errno;
        }

        List<OverlayEntry> entries = [];
        lock (DirectoryLock)
        {
            Merge(lower, entries);
            _isDead = entries.Count == 0;
            return _isDead ? Errno.None : Errno.ENOTEMPTY;
        }
    }

    private void Revive()
    {
        lock (DirectoryLock)
        {
            _isDead = false;
        }
    }
}
