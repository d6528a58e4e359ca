using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Vfs.Locks;

/// <summary>All advisory file locks of a sandbox (fcntl(2), flock(2)): they belong to inodes, live in the kernel's memory, and no filesystem hears of them. Any thread.</summary>
public sealed class FileLockTable
{
    private const int MaxLocks = 1 << 18;
    private const int MaxDeadlockSteps = 64;

    private readonly Lock _lock = new();
    private readonly HashSet<InodeLocks> _active = []; // guarded by _lock: inodes with locks or waiters
    private int _count; // guarded by _lock: locks held

    /// <summary>Locks, changes or unlocks a range.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="inode">The file.</param>
    /// <param name="wanted">What to hold, or with <see cref="LockKind.None"/> to give back.</param>
    /// <param name="waits">Whether to wait until it can be had.</param>
    /// <returns>EAGAIN if it is held and the caller does not wait; EDEADLK; ENOLCK at the limit; ERESTARTSYS.</returns>
    public Errno Set(GuestTask task, Inode inode, FileLock wanted, bool waits)
    {
        while (true)
        {
            LockWaiter waiter;
            InodeLocks locks;
            lock (_lock)
            {
                locks = LocksOf(inode);
                FileLock? blocker = wanted.Kind == LockKind.None ? null : locks.FindConflict(wanted);
                if (blocker is null)
                {
                    return ApplyLocked(locks, wanted);
                }

                if (wanted.Class == LockClass.Flock)
                {
                    DropOwnedFlockLocked(locks, wanted); // a conversion gives the old lock up first (flock(2))
                }

                Errno refusal = !waits ? Errno.EAGAIN : wanted.Class == LockClass.Posix && WouldDeadlock(wanted, blocker) ? Errno.EDEADLK : Errno.None;
                if (refusal != Errno.None)
                {
                    DropIfIdle(locks);
                    return refusal;
                }

                waiter = new LockWaiter(task, wanted, blocker);
                locks.Waiters.Add(waiter);
            }

            Errno errno = task.Block();
            lock (_lock)
            {
                locks.Waiters.Remove(waiter);
                DropIfIdle(locks);
            }

            if (errno != Errno.None)
            {
                return errno;
            }
        }
    }

    /// <summary>F_GETLK: a lock that keeps <paramref name="wanted"/> away; for <see cref="LockKind.None"/> one that its owner holds there (F_OFD_GETLK).</summary>
    public FileLock? Find(Inode inode, FileLock wanted)
    {
        lock (_lock)
        {
            if (inode.Locks is not { } locks)
            {
                return null;
            }

            return wanted.Kind == LockKind.None ? locks.Held.Find(held => held.IsOwnedAs(wanted) && held.Overlaps(wanted)) : locks.FindConflict(wanted);
        }
    }

    /// <summary>What is held and waited for, for /proc/locks: each lock with the file, and whether it is only waited for.</summary>
    public IReadOnlyList<(Inode Inode, FileLock Lock, bool Waits)> List()
    {
        List<(Inode Inode, FileLock Lock, bool Waits)> all = [];
        lock (_lock)
        {
            foreach (InodeLocks locks in _active)
            {
                foreach (FileLock held in locks.Held)
                {
                    all.Add((locks.Inode, held, false));
                    foreach (LockWaiter waiter in locks.Waiters)
                    {
                        if (ReferenceEquals(waiter.Blocker, held))
                        {
                            all.Add((locks.Inode, waiter.Wanted, true));
                        }
                    }
                }
            }
        }

        return all;
    }

    internal void ReleaseOwner(InodeLocks locks, object owner)
    {
        lock (_lock)
        {
            int removed = locks.Held.RemoveAll(held => ReferenceEquals(held.Owner, owner));
            if (removed > 0)
            {
                _count -= removed;
                WakeWaiters(locks);
                DropIfIdle(locks);
            }
        }
    }

    private Errno ApplyLocked(InodeLocks locks, FileLock wanted)
    {
        int before = locks.Held.Count;
        if (_count >= MaxLocks && wanted.Kind != LockKind.None)
        {
            DropIfIdle(locks);
            return Errno.ENOLCK;
        }

        bool hadOwn = locks.Held.Exists(held => held.IsOwnedAs(wanted));
        locks.Apply(wanted);
        _count += locks.Held.Count - before;
        if (hadOwn)
        {
            WakeWaiters(locks);
        }

        DropIfIdle(locks);
        return Errno.None;
    }

    private void DropOwnedFlockLocked(InodeLocks locks, FileLock wanted)
    {
        int removed = locks.Held.RemoveAll(held => held.IsOwnedAs(wanted));
        if (removed > 0)
        {
            _count -= removed;
            WakeWaiters(locks);
        }
    }

    // Those who wait look again: they leave the queue here, so that nobody takes them for blocked meanwhile.
    private static void WakeWaiters(InodeLocks locks)
    {
        foreach (LockWaiter waiter in locks.Waiters)
        {
            waiter.Task.Unblock();
        }

        locks.Waiters.Clear();
    }

    // Whether the blocker's owner waits, perhaps through others, for something that the caller holds (fcntl(2), EDEADLK).
    private bool WouldDeadlock(FileLock wanted, FileLock blocker)
    {
        for (int step = 0; step < MaxDeadlockSteps; step++)
        {
            if (blocker.Class != LockClass.Posix)
            {
                return false;
            }

            if (ReferenceEquals(blocker.Owner, wanted.Owner))
            {
                return true;
            }

            LockWaiter? next = null;
            foreach (InodeLocks locks in _active)
            {
                next ??= locks.Waiters.Find(waiter => waiter.Wanted.IsOwnedAs(blocker));
            }

            if (next is null)
            {
                return false;
            }

            blocker = next.Blocker;
        }

        return false;
    }

    private InodeLocks LocksOf(Inode inode)
    {
        if (inode.Locks is not { } locks)
        {
            locks = new InodeLocks(this, inode);
            inode.Locks = locks;
            _active.Add(locks);
        }

        return locks;
    }

    private void DropIfIdle(InodeLocks locks)
    {
        if (locks.Held.Count == 0 && locks.Waiters.Count == 0 && locks.Inode.Locks == locks)
        {
            locks.Inode.Locks = null;
            _active.Remove(locks);
        }
    }
}
