using System.Buffers;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.EventFiles;

/// <summary>An epoll instance (epoll(7)). Two locks: one for the interest list, and a leaf for the ready list, which notifications take.</summary>
public sealed class EpollDescription(AnonymousFilesystem home) : FileDescription(OpenFlags.O_RDWR, null)
{
    /// <summary>fs.epoll.max_user_watches, for one instance.</summary>
    private const int MaxItems = 1 << 20;

    private const int MaxNesting = 5;
    private const uint EdgeTriggered = 1u << 31;
    private const uint OneShot = 1u << 30;
    private const uint Exclusive = 1u << 28;
    private const uint EventMask = 0x27ff;

    private readonly Lock _lock = new();
    private readonly Lock _readyLock = new();
    private readonly Dictionary<(int Fd, FileDescription File), EpollItem> _items = []; // guarded by _lock
    private readonly EpollReadyList _ready = new(); // guarded by _readyLock
    private readonly WaitQueue _waiters = new();

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[eventpoll]";

    /// <inheritdoc/>
    public override Inode Inode => home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <summary>EPOLL_CTL_ADD.</summary>
    /// <returns>EEXIST; EPERM for files that have no readiness; ELOOP; ENOSPC.</returns>
    public Errno Add(GuestTask task, int fd, FileDescription file, uint events, ulong data)
    {
        if (!file.IsPollable)
        {
            return Errno.EPERM;
        }

        if (file is EpollDescription inner && (inner == this || inner.Reaches(this, 0)))
        {
            return inner == this ? Errno.EINVAL : Errno.ELOOP;
        }

        EpollItem item = new(this, fd, file, file.WaitableFor(task)) { Events = events, Data = data, Mask = (PollEvents)(events & EventMask) };
        lock (_lock)
        {
            if (_items.Count >= MaxItems)
            {
                return Errno.ENOSPC;
            }

            if (!_items.TryAdd((fd, file), item))
            {
                return Errno.EEXIST;
            }
        }

        file.AddCloseObserver(item);
        item.Source.AddWaiter(item);
        if (item.Source.Readiness(item.Mask) != 0)
        {
            MarkReady(item);
        }

        return Errno.None;
    }

    /// <summary>EPOLL_CTL_MOD.</summary>
    /// <returns>ENOENT; EINVAL for what was added with EPOLLEXCLUSIVE.</returns>
    public Errno Modify(int fd, FileDescription file, uint events, ulong data)
    {
        EpollItem? item;
        lock (_lock)
        {
            if (!_items.TryGetValue((fd, file), out item))
            {
                return Errno.ENOENT;
            }

            if ((item.Events & Exclusive) != 0)
            {
                return Errno.EINVAL;
            }

            (item.Events, item.Data) = (events, data);
        }

        item.Source.RemoveWaiter(item);
        item.Mask = (PollEvents)(events & EventMask);
        item.Source.AddWaiter(item);
        if (item.Source.Readiness(item.Mask) != 0)
        {
            MarkReady(item);
        }

        return Errno.None;
    }

    /// <summary>EPOLL_CTL_DEL.</summary>
    /// <returns>ENOENT.</returns>
    public Errno Delete(int fd, FileDescription file)
    {
        EpollItem? item;
        lock (_lock)
        {
            if (!_items.TryGetValue((fd, file), out item))
            {
                return Errno.ENOENT;
            }
        }

        file.RemoveCloseObserver(item);
        Remove(item);
        return Errno.None;
    }

    /// <summary>How many descriptors may be ready; more may be the next moment.</summary>
    public int CandidateCount
    {
        get
        {
            lock (_readyLock)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>Collects what is ready now, as much as there is room for.</summary>
    /// <param name="results">Where it goes.</param>
    /// <returns>How many there are.</returns>
    public int Collect(Span<EpollEvent> results)
    {
        int found = 0;
        int candidates;
        lock (_readyLock)
        {
            candidates = _ready.Count;
        }

        // Each candidate once: level-triggered ones go to the end of the list again.
        for (; candidates > 0 && found < results.Length; candidates--)
        {
            EpollItem item;
            lock (_readyLock)
            {
                if (_ready.First is not { } first)
                {
                    return found;
                }

                item = first;
                _ready.Remove(item);
            }

            uint events;
            ulong data;
            lock (_lock)
            {
                if (item.IsRemoved)
                {
                    continue;
                }

                (events, data) = (item.Events, item.Data);
            }

            if ((events & EventMask) == 0)
            {
                continue; // a one-shot that has fired
            }

            PollEvents wanted = (PollEvents)(events & EventMask) | PollEvents.POLLERR | PollEvents.POLLHUP;
            PollEvents ready = item.Source.Readiness(wanted) & wanted;
            if (ready == 0)
            {
                continue;
            }

            results[found++] = new EpollEvent((uint)ready, data);
            if ((events & OneShot) != 0)
            {
                lock (_lock)
                {
                    item.Events &= ~EventMask;
                }
            }
            else if ((events & EdgeTriggered) == 0)
            {
                AddReady(item);
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        // The items are asked without the lock, which they take when they tell of a change.
        EpollItem[] candidates = ArrayPool<EpollItem>.Shared.Rent(CandidateCount);
        int count;
        lock (_readyLock)
        {
            count = _ready.CopyTo(candidates);
        }

        bool isReady = false;
        for (int i = 0; i < count && !isReady; i++)
        {
            PollEvents wanted = (PollEvents)(candidates[i].Events & EventMask);
            isReady = !candidates[i].IsRemoved && wanted != 0 && candidates[i].Source.Readiness(wanted) != 0;
        }

        candidates.AsSpan(0, count).Clear();
        ArrayPool<EpollItem>.Shared.Return(candidates);
        return isReady ? PollEvents.Readable & mask : PollEvents.None;
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _waiters.Remove(entry);

    /// <summary>An item may have become ready.</summary>
    internal void MarkReady(EpollItem item)
    {
        PendingWakes wakes = default;
        MarkReady(item, ref wakes);
        wakes.Flush();
    }

    /// <summary>The same for a caller that holds locks.</summary>
    internal void MarkReady(EpollItem item, ref PendingWakes wakes)
    {
        AddReady(item);
        _waiters.Notify(PollEvents.Readable, ref wakes);
    }

    /// <summary>Takes an item off both lists.</summary>
    internal void Remove(EpollItem item)
    {
        item.Source.RemoveWaiter(item);
        lock (_lock)
        {
            item.IsRemoved = true;
            _items.Remove((item.Fd, item.File));
        }

        lock (_readyLock)
        {
            _ready.Remove(item);
        }
    }

    /// <inheritdoc/>
    protected override void OnLastClose()
    {
        EpollItem[] items;
        lock (_lock)
        {
            items = [.. _items.Values];
        }

        foreach (EpollItem item in items)
        {
            item.File.RemoveCloseObserver(item);
            Remove(item);
        }
    }

    private bool Reaches(EpollDescription target, int depth)
    {
        if (depth >= MaxNesting)
        {
            return true;
        }

        EpollDescription[] inner;
        lock (_lock)
        {
            inner = [.. _items.Values.Select(static item => item.File).OfType<EpollDescription>()];
        }

        return inner.Contains(target) || inner.Any(next => next.Reaches(target, depth + 1));
    }

    private void AddReady(EpollItem item)
    {
        lock (_readyLock)
        {
            _ready.Add(item);
        }
    }
}
