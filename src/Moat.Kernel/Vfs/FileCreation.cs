using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Vfs;

/// <summary>Makes, links, renames and removes names: mkdir(2), mknod(2), symlink(2), link(2), unlink(2), rmdir(2), rename(2).</summary>
public static class FileCreation
{
    private static readonly Lock s_renameLock = new();

    /// <summary>mknod(2) and mkdir(2): a new file of any type.</summary>
    /// <param name="mode">Type and permissions, before the umask.</param>
    public static Errno Make(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, Mode mode, DeviceNumber device)
    {
        Mode type = mode & Mode.S_IFMT;
        if (type is Mode.S_IFCHR or Mode.S_IFBLK && !task.Credentials.HasCapability(Capability.CAP_MKNOD))
        {
            return Errno.EPERM;
        }

        Mode permissions = mode & Mode.PermissionMask & ~task.Fs.Umask;
        return Add(task, start, path, type == Mode.S_IFDIR, (parent, name, owner) => type == Mode.S_IFDIR
            ? parent.MakeDirectory(task, name, permissions | InheritedSetGid(parent), owner)
            : parent.MakeNode(task, name, type | permissions, device, owner));
    }

    /// <summary>symlink(2).</summary>
    public static Errno MakeSymlink(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, byte[] target) =>
        Add(task, start, path, isDirectory: false, (parent, name, owner) => parent.MakeSymlink(task, name, target, owner));

    /// <summary>link(2): another name for what is at <paramref name="existing"/>.</summary>
    public static Errno Link(GuestTask task, PathLocation existing, PathLocation start, ReadOnlySpan<byte> path)
    {
        Inode target = existing.Inode;
        if (!PathWalker.ResolveParent(task, start, path).TryGet(out ParentLocation parent, out Errno errno))
        {
            return errno;
        }

        if (existing.Mount.Filesystem != parent.Directory.Mount.Filesystem || existing.Mount != parent.Directory.Mount)
        {
            return Errno.EXDEV;
        }

        errno = FilePermission.CheckLink(task, existing);
        if (errno != Errno.None)
        {
            return errno;
        }

        return target.IsDirectory ? Errno.EPERM : AddAt(task, parent, isDirectory: false, (directory, name, _) =>
        {
            Errno failure = target.GetAttributes(out InodeAttributes attributes);
            if (failure != Errno.None || (attributes.LinkCount == 0 && !existing.Dentry.IsLinkable))
            {
                return failure != Errno.None ? failure : Errno.ENOENT;
            }

            failure = directory.Link(task, name, target);
            if (failure != Errno.None)
            {
                return failure;
            }

            existing.Dentry.IsLinkable = false;
            return target;
        }, isLink: true);
    }

    /// <summary>unlink(2).</summary>
    public static Errno Unlink(GuestTask task, PathLocation start, ReadOnlySpan<byte> path) => Remove(task, start, path, directory: false);

    /// <summary>rmdir(2).</summary>
    public static Errno RemoveDirectory(GuestTask task, PathLocation start, ReadOnlySpan<byte> path) => Remove(task, start, path, directory: true);

    /// <summary>renameat2(2).</summary>
    public static Errno Rename(GuestTask task, PathLocation oldStart, ReadOnlySpan<byte> oldPath, PathLocation newStart, ReadOnlySpan<byte> newPath, bool noReplace, bool exchange)
    {
        if (!PathWalker.ResolveParent(task, oldStart, oldPath).TryGet(out ParentLocation from, out Errno errno)
            || !PathWalker.ResolveParent(task, newStart, newPath).TryGet(out ParentLocation to, out errno))
        {
            return errno;
        }

        if (from.Directory.Mount != to.Directory.Mount)
        {
            return Errno.EXDEV;
        }

        if (IsSpecialName(from.Name) || IsSpecialName(to.Name))
        {
            return noReplace && IsSpecialName(to.Name) ? Errno.EEXIST : Errno.EBUSY;
        }

        lock (s_renameLock)
        {
            // The order of the two locks is fixed by the rename lock.
            lock (from.Directory.Inode.DirectoryLock)
            {
                if (from.Directory.Inode == to.Directory.Inode)
                {
                    return RenameLocked(task, from, to, noReplace, exchange);
                }

                lock (to.Directory.Inode.DirectoryLock)
                {
                    return RenameLocked(task, from, to, noReplace, exchange);
                }
            }
        }
    }

    /// <summary>The owner of a new file in a directory: the task's, or the directory's group when it has the set-group-id bit.</summary>
    public static NewOwner OwnerIn(GuestTask task, Inode directory)
    {
        bool inherits = directory.GetOwnership(out FileOwnership own) == Errno.None && (own.Mode & Mode.S_ISGID) != 0;
        return new NewOwner(task.Credentials.FilesystemUid, inherits ? own.Gid : task.Credentials.FilesystemGid);
    }

    /// <summary>Whether a name is "." or "..".</summary>
    internal static bool IsSpecialName(FileName name) => name.Bytes.SequenceEqual("."u8) || name.Bytes.SequenceEqual(".."u8);

    private static Mode InheritedSetGid(Inode directory) =>
        directory.GetOwnership(out FileOwnership own) == Errno.None ? own.Mode & Mode.S_ISGID : 0;

    private static Errno Add(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, bool isDirectory, Func<Inode, FileName, NewOwner, Result<Inode>> make) =>
        PathWalker.ResolveParent(task, start, path).TryGet(out ParentLocation parent, out Errno errno) ? AddAt(task, parent, isDirectory, make) : errno;

    private static Errno AddAt(GuestTask task, ParentLocation parent, bool isDirectory, Func<Inode, FileName, NewOwner, Result<Inode>> make, bool isLink = false)
    {
        if (IsSpecialName(parent.Name))
        {
            return Errno.EEXIST;
        }

        PathLocation directory = parent.Directory;
        lock (directory.Inode.DirectoryLock)
        {
            if (!PathWalker.LookupChildLocked(task, directory.Dentry, parent.Name).TryGet(out Dentry? child, out Errno errno))
            {
                return errno;
            }

            if (child.Inode is not null)
            {
                return Errno.EEXIST;
            }

            if (parent.HasTrailingSlash && !isDirectory)
            {
                return Errno.ENOENT;
            }

            errno = directory.Dentry.IsUnlinked ? Errno.ENOENT : FilePermission.Check(task, directory, MemoryAccess.Write | MemoryAccess.Execute);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (!make(directory.Inode, parent.Name, OwnerIn(task, directory.Inode)).TryGet(out Inode? inode, out errno))
            {
                return errno;
            }

            directory.Dentry.ReplaceChild(child, inode);
            FileEvents.ReportCreated(directory.Inode, parent.Name, inode, isLink);
            return Errno.None;
        }
    }

    private static Errno Remove(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, bool directory)
    {
        if (!PathWalker.ResolveParent(task, start, path).TryGet(out ParentLocation parent, out Errno errno))
        {
            return errno;
        }

        if (IsSpecialName(parent.Name))
        {
            return !directory ? Errno.EISDIR : path.IndexOfAnyExcept((byte)'/') < 0 ? Errno.EBUSY : parent.Name.Length == 1 ? Errno.EINVAL : Errno.ENOTEMPTY;
        }

        PathLocation place = parent.Directory;
        lock (place.Inode.DirectoryLock)
        {
            if (!PathWalker.LookupChildLocked(task, place.Dentry, parent.Name).TryGet(out Dentry? child, out errno))
            {
                return errno;
            }

            if (child.Inode is not { } inode)
            {
                return Errno.ENOENT;
            }

            errno = FilePermission.CheckRemove(task, place, inode);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (directory != inode.IsDirectory)
            {
                return directory ? Errno.ENOTDIR : Errno.EISDIR;
            }

            if (parent.HasTrailingSlash && !directory)
            {
                return Errno.ENOTDIR;
            }

            if (child.MountCount > 0)
            {
                return Errno.EBUSY;
            }

            errno = directory ? place.Inode.RemoveDirectory(task, parent.Name, inode) : place.Inode.Unlink(task, parent.Name, inode);
            if (errno == Errno.None)
            {
                child.IsUnlinked = true;
                place.Dentry.RemoveChild(child);
                FileEvents.ReportRemoved(place.Inode, parent.Name, inode);
            }

            return errno;
        }
    }

    private static Errno RenameLocked(GuestTask task, ParentLocation from, ParentLocation to, bool noReplace, bool exchange)
    {
        Dentry oldDirectory = from.Directory.Dentry;
        Dentry newDirectory = to.Directory.Dentry;
        if (!PathWalker.LookupChildLocked(task, oldDirectory, from.Name).TryGet(out Dentry? moved, out Errno errno)
            || !PathWalker.LookupChildLocked(task, newDirectory, to.Name).TryGet(out Dentry? target, out errno))
        {
            return errno;
        }

        if (moved.Inode is not { } inode)
        {
            return Errno.ENOENT;
        }

        Inode? replaced = target.Inode;
        if (replaced is not null && noReplace)
        {
            return Errno.EEXIST;
        }

        if (newDirectory.IsUnlinked)
        {
            return Errno.ENOENT;
        }

        if (replaced is null && (exchange || (to.HasTrailingSlash && !inode.IsDirectory)))
        {
            return exchange ? Errno.ENOENT : Errno.ENOTDIR;
        }

        if (from.HasTrailingSlash && !inode.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        if (inode.IsDirectory && IsBelow(newDirectory, moved))
        {
            return Errno.EINVAL;
        }

        if (replaced is { IsDirectory: true } && IsBelow(oldDirectory, target))
        {
            return exchange ? Errno.EINVAL : Errno.ENOTEMPTY;
        }

        errno = FilePermission.CheckRemove(task, from.Directory, inode);
        if (errno == Errno.None)
        {
            errno = replaced is null ? FilePermission.Check(task, to.Directory, MemoryAccess.Write | MemoryAccess.Execute) : FilePermission.CheckRemove(task, to.Directory, replaced);
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        if (replaced == inode)
        {
            return Errno.None;
        }

        if (replaced is not null && !exchange && replaced.IsDirectory != inode.IsDirectory)
        {
            return replaced.IsDirectory ? Errno.EISDIR : Errno.ENOTDIR;
        }

        if (moved.MountCount > 0 || target.MountCount > 0)
        {
            return Errno.EBUSY;
        }

        errno = from.Directory.Inode.Rename(task, from.Name, inode, to.Directory.Inode, to.Name, replaced, exchange);
        if (errno != Errno.None)
        {
            return errno;
        }

        oldDirectory.RemoveChild(moved);
        newDirectory.RemoveChild(target);
        newDirectory.Adopt(moved, to.Name);
        if (exchange)
        {
            oldDirectory.Adopt(target, from.Name);
        }
        else if (replaced is not null)
        {
            target.IsUnlinked = true;
        }

        FileEvents.ReportMoved(from.Directory.Inode, from.Name, to.Directory.Inode, to.Name, inode, exchange ? null : replaced);
        if (exchange)
        {
            FileEvents.ReportMoved(to.Directory.Inode, to.Name, from.Directory.Inode, from.Name, replaced!, null);
        }

        return Errno.None;
    }

    private static bool IsBelow(Dentry place, Dentry ancestor)
    {
        for (Dentry at = place; ; at = at.Parent)
        {
            if (at == ancestor)
            {
                return true;
            }

            if (at.IsRoot)
            {
                return false;
            }
        }
    }
}
