using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>An address space as a stub process. Changes are collected and carried out in one go before a context enters the space, or at once while application code of it is running.</summary>
/// <remarks>That a thread has stopped is the application's word. References on pages that the space showed are therefore kept until the changes have been carried out, or the process is gone.</remarks>
internal sealed class SystrapAddressSpace : IAddressSpace
{
    private const int MaxRetiredPages = 4096;
    private const int MaxUnprovenPages = 512; // that only the application's word keeps back

    private readonly SystrapPlatform _platform;
    private readonly StubProcess _process;
    private readonly Lock _lock = new();
    private readonly StubOrders _orders; // guarded by _lock
    private readonly RetiredPages _retired = new(); // guarded by _lock
    private readonly SpaceThreads _threads; // guarded by _lock
    private readonly Errand _errand; // guarded by _lock
    private int _running; // contexts in the space
    private bool _isPending; // orders or retired pages: set under _lock
    private bool _isBusy = true; // guarded by _lock: the process has orders, at first those to make its first thread, of which nobody has awaited the end
    private bool _isDisposed; // guarded by _lock
    private bool _isBuried; // guarded by _lock
    private Errno _failure; // guarded by _lock: an order failed, so the space is not what the kernel thinks

    /// <summary>Wraps a process that has been given the orders to make its first thread.</summary>
    public SystrapAddressSpace(SystrapPlatform platform, StubProcess process, StubThread first)
    {
        _platform = platform;
        _process = process;
        _orders = new StubOrders(platform.MaxAddress.Value);
        _errand = new Errand(_orders);
        _threads = new SpaceThreads(first);
    }

    /// <summary>The stub process.</summary>
    public int Pid => _process.Pid;

    /// <summary>The calls that trap. Threads count together: those that live for a few calls only make the same ones again and again.</summary>
    public HotSites HotSites { get; } = new();

    /// <inheritdoc/>
    public Errno Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        ArgumentNullException.ThrowIfNull(file);
        lock (_lock)
        {
            _orders.Map(address, length, file, fileOffset, access, precommit);
            return CommitLocked();
        }
    }

    /// <inheritdoc/>
    public void Offer(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        ArgumentNullException.ThrowIfNull(file);
        lock (_lock)
        {
            _orders.Offer(address, length, file, fileOffset, access, precommit);
        }
    }

    /// <inheritdoc/>
    public bool TakeOffer(GuestAddress address, MemoryAccess access)
    {
        lock (_lock)
        {
            return _orders.TakeOffer(address, access) && CommitLocked() == Errno.None;
        }
    }

    /// <inheritdoc/>
    public void Begin()
    {
        lock (_lock)
        {
            _orders.AddOffers();
            _orders.AddLeft();
            Volatile.Write(ref _isPending, true);
            if (_isDisposed || _orders.Count is 0 or > StubProcess.OrdersPerPage)
            {
                return;
            }

            if (_isBusy)
            {
                if (!_process.TryAwait(out Result<int> report))
                {
                    return; // Enter will wait
                }

                _isBusy = false;
                NoteLocked(report.Errno);
            }

            if (_failure == Errno.None)
            {
                _process.Post(_orders, 0);
                _orders.Clear();
                _isBusy = true;
            }
        }
    }

    /// <inheritdoc/>
    public void Unmap(GuestAddress address, ulong length)
    {
        lock (_lock)
        {
            _orders.Unmap(address, length);
            CommitLocked();
        }
    }

    /// <inheritdoc/>
    public void Protect(GuestAddress address, ulong length, MemoryAccess access)
    {
        lock (_lock)
        {
            _orders.Protect(address, length, access);
            CommitLocked();
        }
    }

    /// <inheritdoc/>
    public void Share(GuestAddress address, ulong length, MemoryFile file, ulong fileOffset, MemoryAccess access)
    {
        lock (_lock)
        {
            _orders.Share(address, length, file, fileOffset, access);
            CommitLocked();
        }
    }

    /// <inheritdoc/>
    public bool Conceal(GuestAddress address, ulong length)
    {
        lock (_lock)
        {
            if (_orders.AreAnothers)
            {
                FlushLocked(); // what the application's own thread may do itself is ordered for one task at a time: that task's thread does it
            }

            bool isConcealed = !_isDisposed && _orders.TryConceal(address, length);
            CommitLocked();
            return isConcealed;
        }
    }

    /// <inheritdoc/>
    public bool Keep(GuestAddress address, MemoryFile file, int page, int pages)
    {
        lock (_lock)
        {
            bool isKept = _orders.TryKeep(address, file, page, pages);
            CommitLocked();
            return isKept;
        }
    }

    /// <inheritdoc/>
    public bool Prepare(GuestAddress address, MemoryFile file, int page, int pages)
    {
        lock (_lock)
        {
            return !_isDisposed && _orders.TryPrepare(address, file, page, pages);
        }
    }

    /// <inheritdoc/>
    public int ShowKept(GuestAddress address, MemoryFile file, int maxPages, out int page)
    {
        lock (_lock)
        {
            page = -1;
            if (_isDisposed || !_orders.HasKept(address))
            {
                return 0;
            }

            // They are cleared when nobody can write to them any more.
            if (_threads.AreSeveral && (_orders.Count > 0 || !AwaitLeftLocked()) && FlushLocked() != Errno.None)
            {
                return 0;
            }

            int pages = _orders.ShowKept(address, file, maxPages, out page);
            CommitLocked();
            return pages;
        }
    }

    /// <inheritdoc/>
    public void Retire(MemoryFile file, int page, int pages)
    {
        ArgumentNullException.ThrowIfNull(file);
        lock (_lock)
        {
            if (_isBuried)
            {
                file.Release(page, pages);
                return;
            }

            _retired.Add(file, page, pages);
            Volatile.Write(ref _isPending, true);
            if (_retired.Count <= MaxRetiredPages)
            {
                return;
            }

            if (!_isDisposed)
            {
                FlushLocked();
                return;
            }
        }

        _platform.Undertaker.Hurry();
    }

    /// <inheritdoc/>
    public void Flush()
    {
        lock (_lock)
        {
            if (!_isDisposed && (_orders.Count > 0 || _orders.HasLeft))
            {
                FlushLocked();
            }
        }

        if (_isDisposed)
        {
            Bury();
        }
    }

    /// <inheritdoc/>
    public Errno Reserve(ref readonly int users)
    {
        lock (_lock)
        {
            if (_threads.TryReserve(Volatile.Read(in users)))
            {
                return Errno.None;
            }

            if (_isDisposed)
            {
                return Errno.ESRCH;
            }

            int index = _threads.All.Count;
            if (!_platform.NewThread(index).TryGet(out StubThread? thread, out Errno errno))
            {
                return errno;
            }

            _platform.OrderThread(_orders, thread, index);
            _threads.Add(thread);
            errno = FlushLocked(); // with what has been left to the only thread
            if (errno == Errno.None)
            {
                _threads.AddReserved(thread);
            }

            return errno;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _process.Kill();
        }

        _platform.Undertaker.Add(this);
    }

    /// <summary>Takes a thread for a context.</summary>
    internal StubThread? Attach()
    {
        lock (_lock)
        {
            return _isDisposed || !SettleLocked() ? null : _threads.Take();
        }
    }

    /// <summary>Takes a thread back from a context.</summary>
    internal void Detach(StubThread thread)
    {
        lock (_lock)
        {
            if (_orders.Count > 0 && _threads.AreSeveral)
            {
                FlushLocked(); // they may be for this task, which does not enter any more
            }

            _threads.Return(thread);
        }
    }

    /// <summary>Before application code runs: carries out what was put off.</summary>
    /// <returns>The error of an order, which makes the space unusable for the application.</returns>
    internal Errno Enter(StubThread thread)
    {
        Interlocked.Increment(ref _running);
        if (Volatile.Read(ref _isPending))
        {
            lock (_lock)
            {
                if (_isPending && (_isBusy || !_orders.AreAnothers) && !TryLeaveToLocked(thread)) // nobody else has been told that another's are done
                {
                    FlushLocked();
                }
            }
        }

        return _failure;
    }

    /// <summary>Application code of a context has stopped, or has not begun.</summary>
    internal void Leave(StubThread thread)
    {
        if (thread.StopCalls())
        {
            lock (_lock)
            {
                FlushLocked();
            }
        }

        Interlocked.Decrement(ref _running);
    }

    /// <summary>Whether the process still runs.</summary>
    internal bool IsAlive()
    {
        lock (_lock)
        {
            return !_isDisposed && _process.IsAlive();
        }
    }

    /// <summary>Whether a process that was killed is gone.</summary>
    internal bool HasEnded()
    {
        lock (_lock)
        {
            return !_process.IsAlive();
        }
    }

    /// <summary>Kills the process, because it does not stop.</summary>
    internal void Kill()
    {
        lock (_lock)
        {
            _failure = Errno.ESRCH;
            _process.Kill();
        }
    }

    /// <summary>Waits until the process is gone, and gives back all that it had.</summary>
    internal void Bury()
    {
        lock (_lock)
        {
            if (_isBuried)
            {
                return;
            }

            _isBuried = true;
            _process.Bury();
            _orders.DropAllKept();
            _retired.AddDropped(_orders);
            _retired.Release();
            foreach (StubThread thread in _threads.All)
            {
                _platform.FreeThread(thread);
            }
        }

        _platform.Forget(this);
    }

    // Sees that what was ordered is in effect: now, or before application code runs again.
    private Errno CommitLocked()
    {
        _retired.AddDropped(_orders);
        if (_isDisposed || _orders.Count == 0)
        {
            _orders.Clear();
            return Errno.None;
        }

        Volatile.Write(ref _isPending, true);
        Interlocked.MemoryBarrier(); // against Enter: one of the two sees the other
        return Volatile.Read(ref _running) > 0 && !_orders.AreOwn ? FlushLocked() : Errno.None; // what is the application's own matters to the thread that asked for it, when it goes on
    }

    // Awaits the orders that the process has; false if any has ever failed.
    private bool SettleLocked()
    {
        if (_isBusy)
        {
            _isBusy = false;
            NoteLocked(_process.Await().Errno);
        }

        return _failure == Errno.None;
    }

    // A thread of the application makes calls itself on its way back, if all that would come of not making them is that the application has more of its own memory than it should. Of several threads
    // only what nobody else waits for: pages that are to be given away are unmapped for all of them at once.
    private bool TryLeaveToLocked(StubThread thread)
    {
        bool mayLeave = !_isBusy && !_isDisposed && _failure == Errno.None && _retired.Count <= MaxUnprovenPages;
        if (!mayLeave || !AwaitLeftLocked() || !_errand.TryGive(thread, onlyOwn: _threads.AreSeveral))
        {
            return false;
        }

        Volatile.Write(ref _isPending, false);
        return true;
    }

    // Waits until the thread that calls have been left to has made them; false if they are orders again, which the caller has to see carried out.
    private bool AwaitLeftLocked()
    {
        ErrandEnd end = _errand.Await();
        if (end == ErrandEnd.Stuck)
        {
            NoteLocked(Errno.ESRCH);
        }

        return end == ErrandEnd.Made;
    }

    private Errno FlushLocked()
    {
        if (_isDisposed || !SettleLocked())
        {
            _orders.Clear();
            return _failure;
        }

        _orders.AddOffers();
        if (!AwaitLeftLocked() && _failure != Errno.None)
        {
            _orders.Clear();
            return _failure;
        }

        _orders.AddLeft();
        _retired.AddDropped(_orders);
        if (_orders.Count > 0)
        {
            Errno errno = _process.CarryOut(_orders);
            _orders.Clear();
            NoteLocked(errno);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        Volatile.Write(ref _isPending, false);
        _retired.Release();
        return Errno.None;
    }

    // After a failure nobody knows what the space shows: it must not run again.
    private void NoteLocked(Errno errno)
    {
        if (errno != Errno.None)
        {
            _failure = errno;
            _process.Kill();
        }
    }
}
