using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Vfs;

/// <summary>open(2): finds or makes a file and opens it.</summary>
public static class FileOpener
{
    private const int MaxLinks = 40;

    /// <summary>Opens a path. Flags are checked for unknown bits by the caller.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="start">Where a relative path starts.</param>
    /// <param name="path">The path.</param>
    /// <param name="flags">O_*.</param>
    /// <param name="mode">Permissions of a new file, before the umask.</param>
    /// <param name="walk">RESOLVE_* of openat2(2).</param>
    public static Result<FileDescription> Open(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, OpenFlags flags, Mode mode, WalkFlags walk = WalkFlags.None)
    {
        if ((flags & OpenFlags.O_PATH) != 0)
        {
            return OpenPath(task, start, path, flags, walk);
        }

        if ((flags & OpenFlags.O_TMPFILE) == OpenFlags.O_TMPFILE)
        {
            return OpenUnnamed(task, start, path, flags, mode, walk);
        }

        walk |= (flags & OpenFlags.O_NOFOLLOW) != 0 ? WalkFlags.NoFollow : 0;
        if ((flags & OpenFlags.O_CREAT) == 0)
        {
            walk |= (flags & OpenFlags.O_DIRECTORY) != 0 ? WalkFlags.Directory : 0;
            return PathWalker.Resolve(task, start, path, walk).TryGet(out PathLocation found, out Errno errno) ? OpenFound(task, found, flags, isNew: false) : errno;
        }

        return Create(task, start, start, path, flags, mode, walk, 0);
    }

    /// <summary>Opens what is at a place (also for /proc/PID/fd and execve(2)).</summary>
    /// <param name="isNew">Just made by this call: permissions do not count.</param>
    public static Result<FileDescription> OpenFound(GuestTask task, PathLocation location, OpenFlags flags, bool isNew)
    {
        Inode inode = location.Inode;
        if (inode.FileType == Mode.S_IFLNK)
        {
            return Errno.ELOOP;
        }

        bool writes = (flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY;
        if (inode.IsDirectory && (writes || (flags & OpenFlags.O_CREAT) != 0))
        {
            return Errno.EISDIR;
        }

        if (!isNew)
        {
            MemoryAccess access = (flags & OpenFlags.O_ACCMODE) switch
            {
                OpenFlags.O_RDONLY => MemoryAccess.Read,
                OpenFlags.O_WRONLY => MemoryAccess.Write,
                _ => MemoryAccess.Read | MemoryAccess.Write,
            };
            access |= (flags & OpenFlags.O_TRUNC) != 0 ? MemoryAccess.Write : 0;
            Errno errno = FilePermission.Check(task, location, access);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (inode.FileType is Mode.S_IFCHR or Mode.S_IFBLK && (location.Mount.Flags & MountFlags.NoDev) != 0)
            {
                return Errno.EACCES;
            }

            if ((flags & OpenFlags.O_NOATIME) != 0)
            {
                errno = inode.GetAttributes(out InodeAttributes attributes);
                if (errno != Errno.None || !FilePermission.IsOwner(task.Credentials, attributes))
                {
                    return errno == Errno.None ? Errno.EPERM : errno;
                }
            }
        }

        bool countsWriters = inode.FileType == Mode.S_IFREG && (writes || (flags & OpenFlags.O_TRUNC) != 0);
        if (countsWriters && !inode.TryAddWriter())
        {
            return Errno.ETXTBSY;
        }

        if (!inode.Open(task, location, flags).TryGet(out FileDescription? file, out Errno failure))
        {
            if (countsWriters)
            {
                inode.RemoveWriter();
            }

            return failure;
        }

        file.WrittenInode = countsWriters ? inode : null;
        if (file.Location is not null)
        {
            file.ReportOpen();
        }

        if ((flags & OpenFlags.O_TRUNC) != 0 && inode.FileType == Mode.S_IFREG && !isNew)
        {
            Errno errno = inode.SetAttributes(task, new AttributeChange { Size = 0 });
            if (errno != Errno.None)
            {
                file.Release();
                return errno;
            }

            FileEvents.Report(location, InotifyMask.IN_MODIFY);
        }

        return file;
    }

    private static Result<FileDescription> OpenPath(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, OpenFlags flags, WalkFlags walk)
    {
        walk |= ((flags & OpenFlags.O_NOFOLLOW) != 0 ? WalkFlags.NoFollow : 0) | ((flags & OpenFlags.O_DIRECTORY) != 0 ? WalkFlags.Directory : 0);
        return PathWalker.Resolve(task, start, path, walk).TryGet(out PathLocation found, out Errno errno)
            ? new PathDescription(found, flags & (OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW))
            : errno;
    }

    private static Result<FileDescription> OpenUnnamed(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, OpenFlags flags, Mode mode, WalkFlags walk)
    {
        if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_RDONLY)
        {
            return Errno.EINVAL;
        }

        if (!PathWalker.Resolve(task, start, path, walk | WalkFlags.Directory).TryGet(out PathLocation directory, out Errno errno))
        {
            return errno;
        }

        errno = FilePermission.Check(task, directory, MemoryAccess.Write | MemoryAccess.Execute);
        if (errno != Errno.None)
        {
            return errno;
        }

        Mode permissions = mode & Mode.PermissionMask & ~task.Fs.Umask;
        if (!directory.Inode.MakeUnnamed(task, permissions, FileCreation.OwnerIn(task, directory.Inode), (flags & OpenFlags.O_EXCL) == 0).TryGet(out Inode? inode, out errno))
        {
            return errno;
        }

        Dentry dentry = Dentry.MakeUnnamed(directory.Dentry, new FileName("#unnamed"), inode);
        dentry.IsLinkable = (flags & OpenFlags.O_EXCL) == 0;
        return OpenFound(task, new PathLocation(directory.Mount, dentry), flags & ~OpenFlags.O_TMPFILE, isNew: true);
    }

    private static Result<FileDescription> Create(GuestTask task, PathLocation anchor, PathLocation start, ReadOnlySpan<byte> path, OpenFlags flags, Mode mode, WalkFlags walk, int links)
    {
        if (!PathWalker.ResolveParent(task, start, path, walk, anchor).TryGet(out ParentLocation parent, out Errno errno))
        {
            return errno;
        }

        if (parent.HasTrailingSlash || FileCreation.IsSpecialName(parent.Name) || path.IndexOfAnyExcept((byte)'/') < 0)
        {
            return (flags & OpenFlags.O_EXCL) != 0 && !(parent.HasTrailingSlash && !FileCreation.IsSpecialName(parent.Name)) ? Errno.EEXIST : Errno.EISDIR;
        }

        PathLocation directory = parent.Directory;
        Dentry? child;
        bool made = false;
        lock (directory.Inode.DirectoryLock)
        {
            if (!PathWalker.LookupChildLocked(task, directory.Dentry, parent.Name).TryGet(out child, out errno))
            {
                return errno;
            }

            if (child.Inode is null)
            {
                errno = directory.Dentry.IsUnlinked ? Errno.ENOENT : FilePermission.Check(task, directory, MemoryAccess.Write | MemoryAccess.Execute);
                if (errno != Errno.None)
                {
                    return errno;
                }

                Mode permissions = mode & Mode.PermissionMask & ~task.Fs.Umask;
                if (!directory.Inode.MakeNode(task, parent.Name, Mode.S_IFREG | permissions, default, FileCreation.OwnerIn(task, directory.Inode)).TryGet(out Inode? inode, out errno))
                {
                    return errno;
                }

                child = directory.Dentry.ReplaceChild(child, inode);
                FileEvents.ReportCreated(directory.Inode, parent.Name, inode);
                made = true;
            }
        }

        if (made)
        {
            return OpenFound(task, new PathLocation(directory.Mount, child), flags & ~OpenFlags.O_CREAT, isNew: true);
        }

        if ((flags & OpenFlags.O_EXCL) != 0)
        {
            return Errno.EEXIST;
        }

        if (child.Inode!.FileType == Mode.S_IFLNK)
        {
            if ((flags & OpenFlags.O_NOFOLLOW) != 0 || (walk & WalkFlags.NoSymlinks) != 0 || links >= MaxLinks)
            {
                return Errno.ELOOP;
            }

            errno = FilePermission.CheckFollow(task, directory.Inode, child.Inode);
            if (errno != Errno.None)
            {
                return errno;
            }

            // The link may name a file that does not exist yet.
            if (child.Inode.FollowMagicLink(task) is null)
            {
                return child.Inode.ReadSymlink(task).TryGet(out byte[]? target, out errno) ? Create(task, anchor, directory, target, flags, mode, walk, links + 1) : errno;
            }
        }

        return PathWalker.Resolve(task, directory, parent.Name.Bytes, walk, anchor).TryGet(out PathLocation found, out errno) ? OpenFound(task, found, flags, isNew: false) : errno;
    }
}
