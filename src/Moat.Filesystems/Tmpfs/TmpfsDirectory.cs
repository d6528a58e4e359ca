using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>A tmpfs directory. Entries keep a serial number, by which a listing goes on in spite of changes; guarded by <see cref="Inode.DirectoryLock"/>.</summary>
internal sealed class TmpfsDirectory(TmpfsFilesystem filesystem, Mode permissions, in NewOwner owner, TmpfsDirectory? parent)
    : TmpfsInode(filesystem, Mode.S_IFDIR | (permissions & Mode.PermissionMask), owner, 2)
{
    private const int BytesPerEntry = 20; // st_size of a tmpfs directory

    private readonly Dictionary<FileName, (TmpfsInode Inode, long Serial)> _entries = new(FileNameComparer.Instance);
    private readonly EntryOrder _order = new();
    private long _lastSerial = 2; // "." and ".." come first

    /// <summary>Its parent's number, for "..".</summary>
    public ulong ParentNumber => (_parent ?? this).Number;

    private TmpfsDirectory? _parent = parent;

    protected override long Size => (_entries.Count + 2) * BytesPerEntry;

    /// <summary>Frees what is in the files below.</summary>
    internal void Discard()
    {
        Stack<TmpfsDirectory> rest = new([this]);
        while (rest.TryPop(out TmpfsDirectory? directory))
        {
            lock (directory.DirectoryLock)
            {
                foreach ((TmpfsInode inode, _) in directory._entries.Values)
                {
                    (inode as TmpfsFile)?.Pages.Clear();
                    if (inode is TmpfsDirectory below)
                    {
                        rest.Push(below);
                    }
                }
            }
        }
    }

    public override Result<Inode> Lookup(GuestTask? task, FileName name) => _entries.TryGetValue(name, out (TmpfsInode Inode, long Serial) entry) ? entry.Inode : Errno.ENOENT;

    public override Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner)
    {
        if (!Tmpfs.TryAddInode())
        {
            return Errno.ENOSPC;
        }

        TmpfsInode inode = (mode & Mode.S_IFMT) == Mode.S_IFREG ? TmpfsFile.MakeUnsealable(Tmpfs, mode, owner, 1) : new TmpfsSpecial(Tmpfs, mode, device, owner);
        Add(name, inode);
        return inode;
    }

    public override Result<Inode> MakeDirectory(GuestTask task, FileName name, Mode permissions, in NewOwner owner)
    {
        if (!Tmpfs.TryAddInode())
        {
            return Errno.ENOSPC;
        }

        TmpfsDirectory directory = new(Tmpfs, permissions, owner, this);
        Add(name, directory);
        ChangeLinks(1);
        return directory;
    }

    public override Result<Inode> MakeSymlink(GuestTask task, FileName name, ReadOnlySpan<byte> target, in NewOwner owner)
    {
        if (!Tmpfs.TryAddInode())
        {
            return Errno.ENOSPC;
        }

        TmpfsSymlink link = new(Tmpfs, target.ToArray(), owner);
        Add(name, link);
        return link;
    }

    public override Result<Inode> MakeUnnamed(GuestTask task, Mode permissions, in NewOwner owner, bool isLinkable) =>
        Tmpfs.TryAddInode() ? TmpfsFile.MakeUnsealable(Tmpfs, Mode.S_IFREG | permissions, owner, 0, isLinkable) : Errno.ENOSPC;

    public override Errno Link(GuestTask task, FileName name, Inode target)
    {
        TmpfsInode inode = (TmpfsInode)target;
        if (inode.ChangeLinks(0) == 0 && inode is not TmpfsFile { IsLinkable: true })
        {
            return Errno.ENOENT;
        }

        (inode as TmpfsFile)?.OnLinked();
        Add(name, inode);
        inode.ChangeLinks(1);
        return Errno.None;
    }

    public override Errno Unlink(GuestTask task, FileName name, Inode child)
    {
        Remove(name);
        Drop((TmpfsInode)child);
        return Errno.None;
    }

    public override Errno RemoveDirectory(GuestTask task, FileName name, Inode child)
    {
        TmpfsDirectory directory = (TmpfsDirectory)child;
        lock (directory.DirectoryLock)
        {
            if (directory._entries.Count > 0)
            {
                return Errno.ENOTEMPTY;
            }
        }

        Remove(name);
        ChangeLinks(-1);
        directory.ChangeLinks(-2);
        Tmpfs.RemoveInode();
        return Errno.None;
    }

    public override Errno Rename(GuestTask task, FileName name, Inode child, Inode newDirectory, FileName newName, Inode? replaced, bool exchange)
    {
        TmpfsDirectory target = (TmpfsDirectory)newDirectory;
        TmpfsInode moved = (TmpfsInode)child;
        if (exchange)
        {
            TmpfsInode other = (TmpfsInode)replaced!;
            Remove(name);
            target.Remove(newName);
            target.Add(newName, moved);
            Add(name, other);
            Move(moved, this, target);
            Move(other, target, this);
            return Errno.None;
        }

        if (replaced is TmpfsDirectory empty)
        {
            Errno errno = target.RemoveDirectory(task, newName, empty);
            if (errno != Errno.None)
            {
                return errno;
            }
        }
        else if (replaced is not null)
        {
            target.Unlink(task, newName, replaced);
        }

        Remove(name);
        target.Add(newName, moved);
        Move(moved, this, target);
        moved.ChangeLinks(0);
        return Errno.None;
    }

    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => new TmpfsDirectoryDescription(this, flags, location);

    /// <summary>Lists entries behind a serial number. The caller holds no lock.</summary>
    internal Errno List(long after, IDirectorySink sink, ref long offset)
    {
        lock (DirectoryLock)
        {
            for (int at = _order.FirstAfter(after); _order.TryGet(ref at, out FileName? name); at++)
            {
                (TmpfsInode inode, long serial) = _entries[name];
                if (!sink.TryAdd(name.Bytes, inode.Number, inode.FileType, serial))
                {
                    return Errno.None;
                }

                offset = serial;
            }
        }

        return Errno.None;
    }

    private static void Move(TmpfsInode inode, TmpfsDirectory from, TmpfsDirectory to)
    {
        if (inode is TmpfsDirectory directory && from != to)
        {
            directory._parent = to;
            from.ChangeLinks(-1);
            to.ChangeLinks(1);
        }
    }

    private void Add(FileName name, TmpfsInode inode)
    {
        long serial = ++_lastSerial;
        _entries.Add(name, (inode, serial));
        _order.Add(serial, name);
        TouchModified();
    }

    private void Remove(FileName name)
    {
        _entries.Remove(name, out (TmpfsInode Inode, long Serial) entry);
        _order.Remove(entry.Serial);
        TouchModified();
    }

    private void Drop(TmpfsInode inode)
    {
        if (inode.ChangeLinks(-1) == 0)
        {
            (inode as TmpfsFile)?.DropIfUnused();
            Tmpfs.RemoveInode();
        }
    }
}
