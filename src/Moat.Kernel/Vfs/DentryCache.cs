using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Which names of a filesystem are cached: so many that are used, the others as long as somebody holds them. Any thread.</summary>
/// <remarks>Names stand in a ring that a hand goes round: who was not looked up since the hand last passed gives way. What gives way stays findable while a file is open, a directory is somebody's
/// working directory, a watch or a mount stands on it or a walk is under way there, so that a place never has two dentries: the collector knows who that is.</remarks>
public sealed class DentryCache
{
    /// <summary>How many names a filesystem has cached, unless it says otherwise: some 40 MiB with what hangs on them.</summary>
    public const int DefaultLimit = 1 << 16;

    private const int LooksEach = 256; // at how many names one call looks at most
    private const int FirstPurge = 1024;
    private const int FirstSlots = 16;

    private readonly int _limit;
    private readonly Lock _lock = new();
    private readonly Dictionary<(Dentry Parent, FileName Name), WeakReference<Dentry>> _evicted = []; // guarded by _lock
    private Dentry?[] _ring = []; // guarded by _lock: the first _count are there
    private int _count; // written under _lock
    private int _hand; // guarded by _lock
    private int _trimAt; // written under _lock
    private int _purgeAt = FirstPurge; // guarded by _lock
    private int _collections; // guarded by _lock: at the last purge

    /// <param name="limit">How many names are held for their own sake.</param>
    public DentryCache(int limit = DefaultLimit) => _limit = _trimAt = limit;

    /// <summary>How many names are held.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many are remembered because somebody may still use them.</summary>
    internal int EvictedCount
    {
        get
        {
            lock (_lock)
            {
                return _evicted.Count;
            }
        }
    }

    /// <summary>Whether <see cref="Trim"/> has something to do.</summary>
    internal bool IsOverfull => Volatile.Read(ref _count) > Volatile.Read(ref _trimAt);

    /// <summary>A name is cached.</summary>
    internal void Add(Dentry dentry)
    {
        lock (_lock)
        {
            if (_count == _ring.Length)
            {
                Array.Resize(ref _ring, Math.Max(FirstSlots, _count * 2));
            }

            dentry.CacheSlot = _count;
            _ring[_count] = dentry;
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <summary>A name is cached no longer.</summary>
    internal void Remove(Dentry dentry)
    {
        lock (_lock)
        {
            RemoveLocked(dentry);
        }
    }

    /// <summary>Finds a name that has given way but is still used. Called with the directory's lock held; the caller caches it again.</summary>
    internal Dentry? TakeEvicted(Dentry parent, FileName name)
    {
        lock (_lock)
        {
            return _evicted.Count > 0 && _evicted.Remove((parent, name), out WeakReference<Dentry>? known) && known.TryGetTarget(out Dentry? dentry) ? dentry : null;
        }
    }

    /// <summary>Lets names give way if there are too many. Called without any lock.</summary>
    internal void Trim()
    {
        bool isOfUse = false;
        for (int looks = 0; looks < LooksEach && IsOverfull; looks++)
        {
            isOfUse |= Next() is not { } candidate || TryEvict(candidate);
        }

        if (!isOfUse)
        {
            lock (_lock)
            {
                _trimAt = Math.Max(_limit, _count + (LooksEach / 2)); // all of these have to stay: not at each step again
            }
        }
    }

    // Moves the hand on by one; a name that was used since it last came by has another turn.
    private Dentry? Next()
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                return null;
            }

            _hand = _hand + 1 < _count ? _hand + 1 : 0;
            return _ring[_hand]!.TakeUsed() ? null : _ring[_hand];
        }
    }

    private bool TryEvict(Dentry dentry)
    {
        Dentry parent = dentry.Parent;
        if (dentry.HasChildren || dentry.MountCount > 0 || parent.Inode is not { } directory || !directory.DirectoryLock.TryEnter())
        {
            return false; // whoever holds the lock is at work there: another time
        }

        try
        {
            if (dentry.Parent != parent || !parent.Forget(dentry))
            {
                return false; // it was moved or removed meanwhile
            }

            lock (_lock)
            {
                RemoveLocked(dentry);
                _trimAt = _limit;
                if (dentry.Inode is not null)
                {
                    _evicted[(parent, dentry.Name)] = new WeakReference<Dentry>(dentry);
                    Purge();
                }
            }

            return true;
        }
        finally
        {
            directory.DirectoryLock.Exit();
        }
    }

    private void RemoveLocked(Dentry dentry)
    {
        int slot = dentry.CacheSlot;
        if (slot < 0)
        {
            return;
        }

        Dentry last = _ring[_count - 1]!;
        _ring[slot] = last;
        last.CacheSlot = slot;
        dentry.CacheSlot = -1;
        _ring[_count - 1] = null;
        Volatile.Write(ref _count, _count - 1);
    }

    // Forgets those that nobody uses any more: when the collector has found out, or when there are twice as many, which costs each of them one look.
    private void Purge()
    {
        int collections = GC.CollectionCount(GC.MaxGeneration);
        if (_evicted.Count < (collections == _collections ? _purgeAt : FirstPurge))
        {
            return;
        }

        foreach (((Dentry, FileName) key, WeakReference<Dentry> known) in _evicted)
        {
            if (!known.TryGetTarget(out _))
            {
                _evicted.Remove(key);
            }
        }

        _collections = collections;
        _purgeAt = Math.Max(FirstPurge, _evicted.Count * 2);
    }
}
