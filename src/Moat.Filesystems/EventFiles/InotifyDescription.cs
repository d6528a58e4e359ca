using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>An inotify instance (inotify(7)): watches on inodes and a queue of what happened to them.</summary>
public sealed class InotifyDescription(AnonymousFilesystem home, uint owner, OpenFlags flags) : FileDescription(flags, null)
{
    /// <summary>fs.inotify.max_queued_events.</summary>
    private const int MaxEvents = 16384;

    /// <summary>fs.inotify.max_user_watches, for one instance.</summary>
    private const int MaxWatches = 65536;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, InotifyWatch> _watches = []; // guarded by _lock
    private readonly Dictionary<Inode, InotifyWatch> _byInode = []; // guarded by _lock
    private readonly Queue<InotifyEvent> _queue = []; // guarded by _lock
    private readonly WaitQueue _waiters = new();
    private InotifyEvent _last; // guarded by _lock: the newest of the queue
    private int _lastNumber; // guarded by _lock

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:inotify";

    /// <inheritdoc/>
    public override Inode Inode => home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool SignalsReadiness => true;

    /// <summary>inotify_add_watch(2); the caller has checked flags and permission.</summary>
    /// <returns>The watch descriptor; EEXIST with IN_MASK_CREATE; ENOSPC.</returns>
    public Result<int> Watch(Dentry place, InotifyMask mask)
    {
        Inode inode = place.Inode!;
        InotifyMask kept = mask & (InotifyMask.AllEvents | InotifyMask.IN_ONESHOT | InotifyMask.IN_EXCL_UNLINK);
        InotifyWatch watch;
        lock (_lock)
        {
            if (_byInode.TryGetValue(inode, out InotifyWatch? known))
            {
                if ((mask & InotifyMask.IN_MASK_CREATE) != 0)
                {
                    return Errno.EEXIST;
                }

                known.Mask = (mask & InotifyMask.IN_MASK_ADD) != 0 ? known.Mask | kept : kept;
                return known.Number;
            }

            if (_watches.Count >= MaxWatches)
            {
                return Errno.ENOSPC;
            }

            do
            {
                _lastNumber = _lastNumber == int.MaxValue ? 1 : _lastNumber + 1;
            }
            while (_watches.ContainsKey(_lastNumber));
            watch = new InotifyWatch(this, _lastNumber, place, kept);
            _watches.Add(watch.Number, watch);
            _byInode.Add(inode, watch);
        }

        inode.AddWatch(watch);
        return watch.Number;
    }

    /// <summary>inotify_rm_watch(2).</summary>
    /// <returns>EINVAL for a number that is none of its watches.</returns>
    public Errno Unwatch(int number)
    {
        InotifyWatch? watch;
        lock (_lock)
        {
            if (!_watches.TryGetValue(number, out watch))
            {
                return Errno.EINVAL;
            }
        }

        Drop(watch);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        long done = 0;
        Span<byte> record = stackalloc byte[InotifyEvent.HeaderSize + FileName.MaxLength + InotifyEvent.HeaderSize];
        while (true)
        {
            InotifyEvent next;
            lock (_lock)
            {
                if (!_queue.TryPeek(out next))
                {
                    return done > 0 ? done : Errno.EAGAIN;
                }

                if (destination.Length < InotifyEvent.HeaderSize + next.NameSize)
                {
                    return done > 0 ? done : Errno.EINVAL;
                }

                _queue.Dequeue();
            }

            int size = InotifyEvent.HeaderSize + next.NameSize;
            Write(next, record[..size]);
            if (!destination.CopyFrom(record[..size]).TryGet(out int copied, out Errno errno) || copied < size)
            {
                return done > 0 ? done : errno == Errno.None ? Errno.EFAULT : errno;
            }

            done += copied;
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        const uint BytesReady = 0x541b; // FIONREAD
        if (request != BytesReady)
        {
            return Errno.ENOTTY;
        }

        int total = 0;
        lock (_lock)
        {
            foreach (InotifyEvent queued in _queue)
            {
                total += InotifyEvent.HeaderSize + queued.NameSize;
            }
        }

        return task.Memory.Write(new GuestAddress(argument), total);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            return _queue.Count > 0 ? PollEvents.Readable & mask : PollEvents.None;
        }
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _waiters.Remove(entry);

    /// <summary>Queues an event; one that repeats the newest is dropped, and beyond the limit only IN_Q_OVERFLOW is told.</summary>
    internal void Add(int watch, InotifyMask events, uint cookie, FileName? name)
    {
        const InotifyMask WithoutKind = InotifyMask.IN_MOVE_SELF | InotifyMask.IN_DELETE_SELF;
        InotifyEvent happened = new(watch, (events & WithoutKind) != 0 ? events & ~InotifyMask.IN_ISDIR : events, cookie, name);
        lock (_lock)
        {
            if (_queue.Count >= MaxEvents)
            {
                happened = new InotifyEvent(-1, InotifyMask.IN_Q_OVERFLOW, 0, null);
            }

            if (_queue.Count > 0 && happened == _last)
            {
                return;
            }

            _queue.Enqueue(happened);
            _last = happened;
        }

        _waiters.Notify(PollEvents.Readable);
    }

    /// <summary>Ends a watch and tells IN_IGNORED.</summary>
    internal void Drop(InotifyWatch watch)
    {
        lock (_lock)
        {
            if (!_watches.Remove(watch.Number))
            {
                return;
            }

            _byInode.Remove(watch.Inode);
        }

        watch.Inode.Watches?.Remove(watch);
        Add(watch.Number, InotifyMask.IN_IGNORED, 0, null);
    }

    /// <inheritdoc/>
    protected override void OnLastClose()
    {
        InotifyWatch[] watches;
        lock (_lock)
        {
            watches = [.. _watches.Values];
            _watches.Clear();
            _byInode.Clear();
            _queue.Clear();
        }

        foreach (InotifyWatch watch in watches)
        {
            watch.Inode.Watches?.Remove(watch);
        }

        home.RemoveInotify(owner);
    }

    private static void Write(in InotifyEvent what, Span<byte> record)
    {
        record.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(record, what.Watch);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)what.Events);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], what.Cookie);
        BinaryPrimitives.WriteInt32LittleEndian(record[12..], what.NameSize);
        what.Name?.Bytes.CopyTo(record[InotifyEvent.HeaderSize..]);
    }
}
