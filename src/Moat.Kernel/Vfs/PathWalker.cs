using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Vfs;

/// <summary>Path resolution (path_resolution(7)), the one place where names become inodes.</summary>
public static class PathWalker
{
    /// <summary>PATH_MAX, with the ending zero.</summary>
    public const int MaxPath = 4096;

    private const int MaxLinks = 40;

    private static readonly FileName s_dot = new(".");

    /// <summary>Resolves a path to what it names.</summary>
    /// <param name="task">Whose root, credentials and namespace count.</param>
    /// <param name="start">Where a relative path starts.</param>
    /// <param name="path">The path, without the ending zero.</param>
    /// <param name="flags">How.</param>
    /// <param name="anchor">What RESOLVE_BENEATH and RESOLVE_IN_ROOT confine to, if it is not <paramref name="start"/>.</param>
    /// <returns>The place; ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.</returns>
    public static Result<PathLocation> Resolve(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, WalkFlags flags = WalkFlags.None, PathLocation? anchor = null) =>
        Resolve(task, start, path, flags, anchor, out _);

    /// <summary>As above; also whether the walk has just asked the filesystem for what it found, so that <see cref="Inode.GetWalkedAttributes"/> is right.</summary>
    public static Result<PathLocation> Resolve(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, WalkFlags flags, PathLocation? anchor, out bool isFresh)
    {
        isFresh = false;
        if (path.IsEmpty)
        {
            return (flags & WalkFlags.EmptyPath) != 0 ? start : Errno.ENOENT;
        }

        Walk walk = new(task, start, anchor ?? start, flags);
        Errno errno = walk.Run(path, wantParent: false, 0);
        if (errno != Errno.None)
        {
            return errno;
        }

        isFresh = walk.IsFresh;
        if (walk.At.Dentry.Inode is not { } inode)
        {
            return Errno.ENOENT;
        }

        bool wantDirectory = (flags & WalkFlags.Directory) != 0 || path[^1] == (byte)'/';
        return wantDirectory && !inode.IsDirectory ? Errno.ENOTDIR : walk.At;
    }

    /// <summary>Resolves all but the last component of a path.</summary>
    /// <returns>The directory and the name; EEXIST or the like is the caller's to say for ".", ".." and "/".</returns>
    public static Result<ParentLocation> ResolveParent(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, WalkFlags flags = WalkFlags.None, PathLocation? anchor = null)
    {
        if (path.IsEmpty)
        {
            return Errno.ENOENT;
        }

        Walk walk = new(task, start, anchor ?? start, flags);
        Errno errno = walk.Run(path, wantParent: true, 0);
        if (errno != Errno.None)
        {
            return errno;
        }

        return walk.At.Inode.IsDirectory ? new ParentLocation(walk.At, walk.LastName ?? s_dot, path[^1] == (byte)'/') : Errno.ENOTDIR;
    }

    /// <summary>Finds one name in a directory, through the dentry cache. A dentry without inode: it does not exist.</summary>
    public static Result<Dentry> LookupChild(GuestTask? task, Dentry directory, ReadOnlySpan<byte> name)
    {
        if (name.Length > FileName.MaxLength)
        {
            return Errno.ENAMETOOLONG;
        }

        Inode inode = directory.Inode!;
        if (inode.Filesystem.IsStable && directory.FindChild(name) is { } cached)
        {
            return cached; // as it was at some moment of this call, which is all that the lock could promise
        }

        lock (inode.DirectoryLock)
        {
            return LookupChildLocked(task, directory, name, null);
        }
    }

    /// <summary>As <see cref="LookupChild"/>, with the directory's lock held.</summary>
    internal static Result<Dentry> LookupChildLocked(GuestTask? task, Dentry directory, FileName name) => LookupChildLocked(task, directory, name.Bytes, name);

    private static Result<Dentry> LookupChildLocked(GuestTask? task, Dentry directory, ReadOnlySpan<byte> name, FileName? known)
    {
        Inode inode = directory.Inode!;
        Dentry? child = directory.FindChild(name);
        FileName? key = known;
        if (child is null)
        {
            key ??= new FileName(name);
            child = directory.FindEvicted(key);
        }

        if (child is not null)
        {
            if (inode.Filesystem.IsStable || inode.Revalidate(child.Name, child.Inode))
            {
                return child;
            }

            if (child.MountCount > 0)
            {
                return child; // what is mounted on it stays in place
            }

            directory.RemoveChild(child);
        }

        key ??= new FileName(name);
        if (directory.IsUnlinked)
        {
            return new Dentry(directory, key, null);
        }

        if (inode.Lookup(task, key).TryGet(out Inode? found, out Errno errno))
        {
            return directory.AddChild(key, found);
        }

        return errno == Errno.ENOENT ? directory.AddChild(key, null) : errno;
    }

    private ref struct Walk(GuestTask task, PathLocation start, PathLocation anchor, WalkFlags flags)
    {
        private readonly PathLocation _root = (flags & WalkFlags.InRoot) != 0 ? anchor : task.Fs.Root;
        private readonly PathLocation _anchor = anchor;
        private int _links;
        private int _known; // how many of the next names the filesystem has just told

        public PathLocation At = start;

        public bool IsFresh; // whether a filesystem has just told what is here

        public FileName? LastName;

        public Errno Run(ReadOnlySpan<byte> path, bool wantParent, int depth)
        {
            if (path[0] == (byte)'/')
            {
                if ((flags & WalkFlags.Beneath) != 0)
                {
                    return Errno.EXDEV;
                }

                At = _root;
            }

            LastName = null;
            _known = 0;
            IsFresh = false;
            int position = 0;
            while (true)
            {
                while (position < path.Length && path[position] == (byte)'/')
                {
                    position++;
                }

                if (position == path.Length)
                {
                    return Errno.None;
                }

                int end = path[position..].IndexOf((byte)'/');
                ReadOnlySpan<byte> name = end < 0 ? path[position..] : path.Slice(position, end);
                position += name.Length;
                bool isLast = path[position..].IndexOfAnyExcept((byte)'/') < 0;
                bool trailingSlash = isLast && position < path.Length;
                if (At.Dentry.Inode is not { } here)
                {
                    return Errno.ENOENT;
                }

                if (!here.IsDirectory)
                {
                    return Errno.ENOTDIR;
                }

                if (_known == 0 && !here.Filesystem.IsStable)
                {
                    _known = WalkedNames.Refresh(At.Dentry, path[(position - name.Length)..]);
                }

                Errno errno = FilePermission.Check(task, At, MemoryAccess.Execute);
                if (errno != Errno.None)
                {
                    return errno;
                }

                if (isLast && here.Filesystem.Names is { IsOverfull: true } names)
                {
                    names.Trim();
                }

                if (isLast && wantParent)
                {
                    if (name.Length > FileName.MaxLength)
                    {
                        return Errno.ENAMETOOLONG;
                    }

                    LastName = new FileName(name);
                    return Errno.None;
                }

                errno = Step(name, follow: !isLast || trailingSlash || (flags & WalkFlags.NoFollow) == 0, depth);
                if (errno != Errno.None)
                {
                    return errno;
                }

                if (!isLast && At.Dentry.Inode is null)
                {
                    return Errno.ENOENT;
                }
            }
        }

        private Errno Step(ReadOnlySpan<byte> name, bool follow, int depth)
        {
            IsFresh = false;
            if (name.SequenceEqual("."u8))
            {
                return Errno.None;
            }

            if (name.SequenceEqual(".."u8))
            {
                return StepUp();
            }

            PathLocation directory = At;
            Dentry? child = _known > 0 ? directory.Dentry.FindChild(name) : null;
            if (child is null && !LookupChild(task, directory.Dentry, name).TryGet(out child, out Errno errno))
            {
                return errno;
            }

            IsFresh = true;
            _known = Math.Max(0, _known - 1);

            PathLocation next = new(directory.Mount, child);
            if (child.MountCount > 0)
            {
                PathLocation top = Descend(next);
                if (top != next && (flags & WalkFlags.NoXdev) != 0)
                {
                    return Errno.EXDEV;
                }

                next = top;
                IsFresh = false;
                _known = 0;
            }

            At = next;
            return follow && next.Dentry.Inode is { FileType: Mode.S_IFLNK } link ? Follow(directory, link, depth) : Errno.None;
        }

        private readonly PathLocation Descend(PathLocation place)
        {
            while (task.Fs.MountNamespace.FindAt(place) is { } mount)
            {
                place = new PathLocation(mount, mount.Root);
            }

            return place;
        }

        private Errno StepUp()
        {
            if (At == _root || ((flags & WalkFlags.Beneath) != 0 && At == _anchor))
            {
                return (flags & WalkFlags.Beneath) != 0 ? Errno.EXDEV : Errno.None;
            }

            while (At.Dentry == At.Mount.Root)
            {
                if (At.Mount.Point is not { } point)
                {
                    return Errno.None;
                }

                if ((flags & WalkFlags.NoXdev) != 0)
                {
                    return Errno.EXDEV;
                }

                At = point;
                if (At == _root)
                {
                    return Errno.None;
                }
            }

            At = Descend(new PathLocation(At.Mount, At.Dentry.Parent));
            return Errno.None;
        }

        private Errno Follow(PathLocation directory, Inode link, int depth)
        {
            if ((flags & WalkFlags.NoSymlinks) != 0 || (directory.Mount.Flags & MountFlags.NoSymFollow) != 0 || ++_links > MaxLinks || depth > MaxLinks)
            {
                return Errno.ELOOP;
            }

            Errno refused = FilePermission.CheckFollow(task, directory.Inode, link);
            if (refused != Errno.None)
            {
                return refused;
            }

            if (link.FollowMagicLink(task) is { } magic)
            {
                if ((flags & WalkFlags.NoMagicLinks) != 0)
                {
                    return Errno.ELOOP;
                }

                if ((flags & (WalkFlags.Beneath | WalkFlags.InRoot)) != 0)
                {
                    return Errno.EXDEV;
                }

                if (!magic.TryGet(out PathLocation target, out Errno failure))
                {
                    return failure;
                }

                At = target;
                IsFresh = false;
                _known = 0;
                return Errno.None;
            }

            if (!link.ReadSymlink(task).TryGet(out byte[]? text, out Errno errno))
            {
                return errno;
            }

            if (text.Length == 0)
            {
                return Errno.ENOENT;
            }

            At = directory;
            WalkFlags outer = flags;
            flags &= ~(WalkFlags.NoFollow | WalkFlags.Directory);
            errno = Run(text, wantParent: false, depth + 1);
            flags = outer;
            return errno != Errno.None ? errno : text[^1] == (byte)'/' && At.Dentry.Inode is { IsDirectory: false } ? Errno.ENOTDIR : Errno.None;
        }
    }
}
