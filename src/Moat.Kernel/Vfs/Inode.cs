using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A file as its filesystem knows it, without a name. Each filesystem derives its own kinds; the VFS does path walk, permission checks, mount points and the dentry
/// cache, so that an inode sees only operations that are allowed and names that are one valid component.</summary>
/// <remarks>Directory operations (from <see cref="Lookup"/> to <see cref="Rename"/>) run with the directory's <see cref="DirectoryLock"/> held by the VFS
/// (both directories' for a rename, under the filesystem-wide rename lock when they differ).
/// Every method may be called from any thread.</remarks>
public abstract class Inode(Filesystem filesystem)
{
    private volatile Locks.InodeLocks? _locks;
    private InodeWatches? _watches;
    private Lock? _directoryLock;
    private int _openCount;

    /// <summary>The instance it belongs to.</summary>
    public Filesystem Filesystem { get; } = filesystem;

    private int _writers; // descriptions open for writing; below 0, programs that run from it

    /// <summary>Serialises changes of a directory's entries. Made when it is first asked for: most files never are.</summary>
    public Lock DirectoryLock => Volatile.Read(ref _directoryLock) ?? MakeDirectoryLock();

    /// <summary>Its advisory locks, while there are any. Set by the <see cref="Locks.FileLockTable"/> alone.</summary>
    public Locks.InodeLocks? Locks
    {
        get => _locks;
        internal set => _locks = value;
    }

    /// <summary>The file type; never changes.</summary>
    public abstract Mode FileType { get; }

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => FileType == Mode.S_IFDIR;

    /// <summary>Who watches it; null as long as nobody ever has.</summary>
    public InodeWatches? Watches => Volatile.Read(ref _watches);

    /// <summary>How often it is open.</summary>
    internal int OpenCount => Volatile.Read(ref _openCount);

    /// <summary>Has a watch told of what happens to it and, for a directory, to its entries.</summary>
    public void AddWatch(IInodeWatch watch)
    {
        InodeWatches watches = Watches ?? new InodeWatches();
        (Interlocked.CompareExchange(ref _watches, watches, null) ?? watches).Add(watch);
    }

    internal void CountOpen() => Interlocked.Increment(ref _openCount);

    internal void CountClose() => Interlocked.Decrement(ref _openCount);
    /// <summary>Whether somebody has it open for writing: it can't be executed now (ETXTBSY).</summary>
    public bool IsBeingWritten => Volatile.Read(ref _writers) > 0;

    /// <summary>Somebody opens it for writing: false while a program runs from it (ETXTBSY).</summary>
    public bool TryAddWriter() => TryCount(1);

    /// <summary>Ends what <see cref="TryAddWriter"/> began.</summary>
    public void RemoveWriter() => Interlocked.Decrement(ref _writers);

    /// <summary>A program runs from it: false while somebody has it open for writing (ETXTBSY).</summary>
    public bool TryDenyWriters() => TryCount(-1);

    /// <summary>Ends what <see cref="TryDenyWriters"/> began.</summary>
    public void AllowWriters() => Interlocked.Increment(ref _writers);

    /// <summary>stat(2).</summary>
    public abstract Errno GetAttributes(out InodeAttributes attributes);

    /// <summary>Owner and permissions alone, which each step of a path walk asks for: as the walk has last found them. What changes at the same time may be seen in part, as on Linux.</summary>
    public virtual Errno GetOwnership(out FileOwnership ownership)
    {
        Errno errno = GetAttributes(out InodeAttributes attributes);
        ownership = FileOwnership.Of(attributes);
        return errno;
    }

    /// <summary>stat(2) of what a path walk has just found: where files may change behind the kernel's back, as the walk has found them.</summary>
    public virtual Errno GetWalkedAttributes(out InodeAttributes attributes) => GetAttributes(out attributes);

    /// <summary>Changes attributes; the change time follows. EPERM/EROFS where the filesystem has nothing to change.</summary>
    public virtual Errno SetAttributes(GuestTask task, in AttributeChange change) => Errno.EPERM;

    /// <summary>Something was read: sets the access time, where files have one that the kernel keeps.</summary>
    /// <param name="isRelative">Only if it is not later than the times of the last changes, or older than a day (MS_RELATIME).</param>
    public virtual void TouchAccessed(bool isRelative)
    {
    }

    /// <summary>Asked before a cached dentry is used, where <see cref="Filesystem.IsStable"/> is false: whether <paramref name="name"/> in this directory still names <paramref name="child"/> (null: still nothing).</summary>
    public virtual bool Revalidate(FileName name, Inode? child) => true;

    /// <summary>Asked where <see cref="Filesystem.IsStable"/> is false before a walk goes on from this directory: finds out in one go what this directory is now and what the next names are.</summary>
    /// <param name="path">The rest of the path, which starts with a name.</param>
    /// <returns>What was found out; null leaves it to <see cref="Revalidate"/> and <see cref="Lookup"/>, name by name.</returns>
    public virtual IWalkedPath? WalkAhead(ReadOnlySpan<byte> path) => null;

    /// <summary>Finds an entry: ENOENT if there is none. The VFS caches the answer, ENOENT too, as long as the filesystem is stable.</summary>
    public virtual Result<Inode> Lookup(GuestTask? task, FileName name) => Errno.ENOTDIR;

    /// <summary>Makes a regular file, FIFO, socket or device node. Mode has the type, the umask is applied; the owner is the task's fs ids (set-gid directories respected by the VFS).</summary>
    public virtual Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner) => Errno.EPERM;

    /// <summary>mkdir(2).</summary>
    public virtual Result<Inode> MakeDirectory(GuestTask task, FileName name, Mode permissions, in NewOwner owner) => Errno.EPERM;

    /// <summary>symlink(2).</summary>
    public virtual Result<Inode> MakeSymlink(GuestTask task, FileName name, ReadOnlySpan<byte> target, in NewOwner owner) => Errno.EPERM;

    /// <summary>link(2): another name for <paramref name="target"/>, which is of this filesystem and no directory. EMLINK, EPERM …</summary>
    public virtual Errno Link(GuestTask task, FileName name, Inode target) => Errno.EPERM;

    /// <summary>unlink(2): the entry exists, names <paramref name="child"/> and is no directory.</summary>
    public virtual Errno Unlink(GuestTask task, FileName name, Inode child) => Errno.EPERM;

    /// <summary>rmdir(2): ENOTEMPTY if it has entries.</summary>
    public virtual Errno RemoveDirectory(GuestTask task, FileName name, Inode child) => Errno.EPERM;

    /// <summary>renameat2(2) within one filesystem; <paramref name="replaced"/> is what <paramref name="newName"/> names now, if anything; types and loops are checked by the VFS, emptiness of a replaced directory by the filesystem.</summary>
    /// <param name="exchange">RENAME_EXCHANGE.</param>
    public virtual Errno Rename(GuestTask task, FileName name, Inode child, Inode newDirectory, FileName newName, Inode? replaced, bool exchange) => Errno.EPERM;

    /// <summary>An unnamed regular file in this directory's filesystem (O_TMPFILE).</summary>
    /// <param name="isLinkable">Whether link(2) may give it a name later (no O_EXCL).</param>
    public virtual Result<Inode> MakeUnnamed(GuestTask task, Mode permissions, in NewOwner owner, bool isLinkable) => Errno.EOPNOTSUPP;

    /// <summary>readlink(2): the target's bytes.</summary>
    public virtual Result<byte[]> ReadSymlink(GuestTask? task) => Errno.EINVAL;

    /// <summary>A link that is followed by jumping to a place instead of by its text (/proc/PID/{cwd,exe,root,fd/N}); null for ordinary ones.</summary>
    public virtual Result<PathLocation>? FollowMagicLink(GuestTask task) => null;

    /// <summary>Whether a bind mount may be made of it though it is in no tree of mounts, as of a file that stands for a namespace.</summary>
    public virtual bool IsBoundFromAnywhere => false;

    /// <summary>A mount shows it as its top from now on. Under the lock of the mount tables.</summary>
    public virtual void OnMounted()
    {
    }

    /// <summary>A mount that showed it has been taken away.</summary>
    public virtual void OnUnmounted()
    {
    }

    /// <summary>open(2) of an existing file; permission is checked, O_TRUNC and O_CREAT are done by the VFS. ENXIO for sockets and devices without a driver.</summary>
    public virtual Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => Errno.ENXIO;

    /// <summary>Decides access where mode bits do not (proc); null leaves it to the mode bits and capabilities.</summary>
    public virtual Errno? CheckAccess(TaskCredentials credentials, Platform.MemoryAccess access) => null;

    /// <summary>getxattr(2): the value, ENODATA if there is none, EOPNOTSUPP where the filesystem has none.</summary>
    public virtual Result<byte[]> GetExtendedAttribute(GuestTask task, FileName name) => Errno.EOPNOTSUPP;

    /// <summary>setxattr(2); flags are XATTR_CREATE and XATTR_REPLACE.</summary>
    public virtual Errno SetExtendedAttribute(GuestTask task, FileName name, ReadOnlySpan<byte> value, int flags) => Errno.EOPNOTSUPP;

    /// <summary>removexattr(2).</summary>
    public virtual Errno RemoveExtendedAttribute(GuestTask task, FileName name) => Errno.EOPNOTSUPP;

    /// <summary>listxattr(2): names, each ended by a zero byte.</summary>
    public virtual Result<byte[]> ListExtendedAttributes(GuestTask task) => Errno.EOPNOTSUPP;

    private Lock MakeDirectoryLock()
    {
        Lock made = new();
        return Interlocked.CompareExchange(ref _directoryLock, made, null) ?? made;
    }

    // Counts up or down, unless the count is on the other side of 0.
    private bool TryCount(int by)
    {
        int seen = Volatile.Read(ref _writers);
        while (Math.Sign(seen) != -by)
        {
            int before = Interlocked.CompareExchange(ref _writers, seen + by, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }
}
