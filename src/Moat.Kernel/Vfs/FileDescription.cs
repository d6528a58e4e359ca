using Moat.Collections;
using Moat.Kernel.Tasks;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>An open file description (open(2)): what descriptors, in one process or several, share: status flags, offset, the file.</summary>
/// <remarks>Counted: a descriptor table, a message in flight and every call in progress hold a reference; <see cref="OnLastClose"/> runs when the last is given back.
/// Offset rule: <see cref="OffsetLock"/> is held over a read or write that uses and moves <see cref="Offset"/> (POSIX: atomic among threads), taken by the caller in Syscalls.</remarks>
public abstract class FileDescription : IWaitable
{
    private static readonly Lock s_observerLock = new(); // few files have observers: one lock for all

    private List<IFileCloseObserver>? _observers; // guarded by s_observerLock
    private readonly bool _holdsWrite;
    private UserCount _references = new(1);
    private bool _isReported;
    private AsyncSignals? _async; // set once
    private Lock? _offsetLock; // set once
    private int _statusFlags;

    /// <param name="flags">The flags of open(2); access mode and status flags are kept, creation flags dropped.</param>
    /// <param name="location">Where it was opened, if it has a place in the tree.</param>
    protected FileDescription(OpenFlags flags, PathLocation? location)
    {
        const OpenFlags Creation = OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOCTTY | OpenFlags.O_TRUNC | OpenFlags.O_CLOEXEC;
        _statusFlags = (int)(flags & ~Creation);
        Location = location;
        location?.Mount.AddUser();
        _holdsWrite = location is { Inode.FileType: Mode.S_IFREG } && CanWrite;
        if (_holdsWrite)
        {
            location!.Value.Mount.AddWriter();
        }
    }

    /// <summary>Access mode and status flags, as F_GETFL reports them.</summary>
    public OpenFlags StatusFlags
    {
        get => (OpenFlags)Volatile.Read(ref _statusFlags);
        set => Volatile.Write(ref _statusFlags, (int)value);
    }

    /// <summary>The inode that counts this description among its writers (<see cref="Vfs.Inode.TryAddWriter"/>).</summary>
    internal Inode? WrittenInode { get; set; }

    /// <summary>The place in the tree; null for pipes, sockets and other anonymous files (see <see cref="AnonymousName"/>).</summary>
    public PathLocation? Location { get; }

    /// <summary>What /proc/PID/fd shows for a file without a place, such as <c>pipe:[12]</c>.</summary>
    public virtual string AnonymousName => "anon_inode:[unknown]";

    /// <summary>The inode behind it, for fstat(2), fchmod(2) and the like.</summary>
    public abstract Inode Inode { get; }

    /// <summary>Whether open(2)'s mode allows reading.</summary>
    public bool CanRead => ((StatusFlags & OpenFlags.O_ACCMODE) is OpenFlags.O_RDONLY or OpenFlags.O_RDWR) && !IsPath;

    /// <summary>Whether open(2)'s mode allows writing.</summary>
    public bool CanWrite => ((StatusFlags & OpenFlags.O_ACCMODE) is OpenFlags.O_WRONLY or OpenFlags.O_RDWR) && !IsPath;

    /// <summary>Whether it was opened with O_PATH.</summary>
    public bool IsPath => (StatusFlags & OpenFlags.O_PATH) != 0;

    /// <summary>Whether calls return EAGAIN instead of waiting.</summary>
    public bool IsNonBlocking => (StatusFlags & OpenFlags.O_NONBLOCK) != 0;

    /// <summary>Whether the file has an offset: pread(2), lseek(2) on one that has none give ESPIPE.</summary>
    public virtual bool IsSeekable => false;

    /// <summary>How long a read waits, in nanoseconds, before it gives EAGAIN (SO_RCVTIMEO); 0 for as long as it takes.</summary>
    public virtual long ReadTimeoutNs => 0;

    /// <summary>As <see cref="ReadTimeoutNs"/>, for writes (SO_SNDTIMEO).</summary>
    public virtual long WriteTimeoutNs => 0;

    /// <summary>The file offset. Guarded by <see cref="OffsetLock"/>. A file that is shared with the host has an offset of its own: it answers -1, and -1 is what its Read and Write know it by.</summary>
    public virtual long Offset { get; set; }

    /// <summary>Serialises those who use the offset. Held over blocking reads only of seekable files. Made when it is first asked for: many files are only mapped, or asked for what they are.</summary>
    public Lock OffsetLock => Volatile.Read(ref _offsetLock) ?? Interlocked.CompareExchange(ref _offsetLock, new Lock(), null) ?? _offsetLock;

    /// <summary>Takes another reference; the caller holds one.</summary>
    public void AddReference() => _references.Add();

    /// <summary>Takes a reference unless the last has gone: for tables that look up without owning one.</summary>
    public bool TryAddReference() => _references.TryAdd();

    /// <summary>Whether the caller's reference is the only one; somebody else may take another at once.</summary>
    public bool IsLastReference => _references.IsOne;

    /// <summary>Gives a reference back; the last one closes the file.</summary>
    public void Release()
    {
        if (_references.RemoveLast())
        {
            NotifyObservers();
            Async?.Set(false, -1);
            Inode.Locks?.ReleaseOwner(this);
            OnLastClose();
            if (_isReported)
            {
                ReportClose();
            }

            if (_holdsWrite)
            {
                Location!.Value.Mount.RemoveWriter();
            }

            WrittenInode?.RemoveWriter();
            Location?.Mount.RemoveUser();
        }
    }

    /// <summary>Has an observer told of the last close.</summary>
    public void AddCloseObserver(IFileCloseObserver observer)
    {
        lock (s_observerLock)
        {
            (_observers ??= new List<IFileCloseObserver>(1)).Add(observer); // one epoll instance watches most files
        }
    }

    /// <summary>Ends what <see cref="AddCloseObserver"/> began.</summary>
    public void RemoveCloseObserver(IFileCloseObserver observer)
    {
        lock (s_observerLock)
        {
            _observers?.Remove(observer);
        }
    }

    /// <summary>Reads at <paramref name="offset"/> (ignored by files that are not seekable) into <paramref name="destination"/>.</summary>
    /// <returns>The byte count, 0 at the end; EAGAIN when nothing is there (never blocks: the caller waits for POLLIN and tries again, see <see cref="GuestTask"/>); EINVAL, EISDIR …</returns>
    public virtual SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => Errno.EINVAL;

    /// <summary>Writes at <paramref name="offset"/>; with O_APPEND the file itself moves to its end and <paramref name="offset"/> is set to where the data went.</summary>
    /// <returns>The byte count; EAGAIN when it would block and nothing was written; EPIPE (the caller sends SIGPIPE), ENOSPC, EFBIG …</returns>
    public virtual SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset) => Errno.EINVAL;

    /// <summary>Whether a write goes to the end of the file.</summary>
    public bool Appends(in IoBuffer source) => source.Placement == WritePlacement.AtEnd || (source.Placement == WritePlacement.ByFlags && (StatusFlags & OpenFlags.O_APPEND) != 0);

    /// <summary>lseek(2), SEEK_DATA and SEEK_HOLE included. Called under <see cref="OffsetLock"/>.</summary>
    public virtual SyscallResult Seek(GuestTask task, long offset, int whence) => Errno.ESPIPE;

    /// <summary>ioctl(2) requests that the kind of file knows; ENOTTY for all others. FIONBIO, FIOCLEX and the like are done by the caller.</summary>
    public virtual SyscallResult Ioctl(GuestTask task, uint request, ulong argument) => Errno.ENOTTY;

    /// <summary>getdents64(2): hands entries to <paramref name="sink"/> from <see cref="Offset"/> on until it refuses one. Called under <see cref="OffsetLock"/>.</summary>
    public virtual Errno ReadDirectory(GuestTask task, IDirectorySink sink) => Errno.ENOTDIR;

    /// <summary>fsync(2), fdatasync(2); EINVAL for files that have nothing to sync.</summary>
    public virtual Errno Sync(bool dataOnly) => Errno.EINVAL;

    /// <summary>fallocate(2), mode already checked for unknown bits.</summary>
    public virtual Errno Allocate(GuestTask task, int mode, long offset, long length) => Errno.ENODEV;

    /// <summary>F_GET_SEALS; null (EINVAL) for files that cannot be sealed.</summary>
    public virtual Memory.FileSeals? Seals => null;

    /// <summary>F_ADD_SEALS; the caller has checked for unknown bits and that the file is open for writing.</summary>
    public virtual Errno AddSeals(Memory.FileSeals seals) => Errno.EINVAL;
    /// <summary>Whether mmap(2) of it gives anonymous memory (/dev/zero).</summary>
    public virtual bool MapsAnonymousMemory => false;

    /// <summary>What mmap(2) maps; null gives ENODEV.</summary>
    public virtual Memory.IMappable? Mappable => null;

    /// <summary>What a task asks and waits for: the file itself, unless readiness depends on who asks (signalfd(2)).</summary>
    public virtual IWaitable WaitableFor(GuestTask task) => this;

    /// <inheritdoc/>
    public virtual PollEvents Readiness(PollEvents mask) => (PollEvents.Readable | PollEvents.Writable) & mask;

    /// <inheritdoc/>
    public virtual void AddWaiter(WaitEntry entry)
    {
    }

    /// <inheritdoc/>
    public virtual void RemoveWaiter(WaitEntry entry)
    {
    }

    /// <summary>Whether readiness changes at all: epoll_ctl(2) gives EPERM for regular files and directories.</summary>
    public virtual bool IsPollable => false;

    /// <summary>Whether O_ASYNC has it send signals: terminals, pipes, sockets and inotify(7).</summary>
    public virtual bool SignalsReadiness => false;

    /// <summary>Whom it signals, if anybody ever asked for that.</summary>
    public AsyncSignals? Async => Volatile.Read(ref _async);

    /// <summary>The same, made if nobody has asked before.</summary>
    public AsyncSignals EnsureAsync(SentryKernel kernel) => Async ?? Interlocked.CompareExchange(ref _async, new AsyncSignals(kernel, this), null) ?? _async;

    /// <summary>close(2) of a descriptor, whether or not it is the last (FUSE's and NFS's flush; locks are released by the caller).</summary>
    public virtual Errno Flush(GuestTask task) => Errno.None;

    /// <summary>Something was read: the access time moves, unless the mount or the file's flags forbid it (mount(2), open(2)).</summary>
    protected void TouchAccessed()
    {
        if (Location is not { } place || (StatusFlags & OpenFlags.O_NOATIME) != 0)
        {
            return;
        }

        MountFlags forbids = MountFlags.NoAtime | MountFlags.ReadOnly | (Inode.IsDirectory ? MountFlags.NoDirAtime : MountFlags.None);
        MountFlags flags = place.Mount.Flags;
        if ((flags & forbids) == 0)
        {
            Inode.TouchAccessed(isRelative: (flags & MountFlags.RelAtime) != 0);
        }
    }

    /// <summary>The last reference has gone: give back what the file holds.</summary>
    protected virtual void OnLastClose()
    {
    }

    /// <summary>It was opened by its name: tells IN_OPEN, and IN_CLOSE_* at the end.</summary>
    internal void ReportOpen()
    {
        _isReported = true;
        Location!.Value.Inode.CountOpen();
        FileEvents.Report(Location, InotifyMask.IN_OPEN);
    }

    private void ReportClose()
    {
        Inode inode = Location!.Value.Inode;
        FileEvents.Report(Location, CanWrite ? InotifyMask.IN_CLOSE_WRITE : InotifyMask.IN_CLOSE_NOWRITE);
        inode.CountClose();
        if (inode.Watches is not null)
        {
            FileEvents.ReportIfGone(inode);
        }
    }

    private void NotifyObservers()
    {
        if (Volatile.Read(ref _observers) is not { } list)
        {
            return; // whoever adds one holds a reference
        }

        IFileCloseObserver[] observers;
        lock (s_observerLock)
        {
            observers = [.. list];
            _observers = null;
        }

        foreach (IFileCloseObserver observer in observers)
        {
            observer.OnFileClosed();
        }
    }
}
