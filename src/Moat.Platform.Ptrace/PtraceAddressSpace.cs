using Moat.Host;
using Moat.Linux;

namespace Moat.Platform.Ptrace;

/// <summary>An address space as a stub process. Changes are collected on its page of orders and carried out in one go by the next thread that enters the space,
/// or at once while application code of the space is running.</summary>
internal sealed class PtraceAddressSpace : IAddressSpace
{
    [ThreadStatic]
    private static PtraceContext? t_context; // ptrace binds a tracee to a thread: this is that binding

    private readonly PtracePlatform _platform;
    private readonly int _page;
    private readonly object _lock = new();
    private readonly StubOrders _orders = new(); // guarded by _lock
    private readonly List<int> _parked = []; // guarded by _lock
    private int _reserved; // guarded by _lock: how many of them wait for contexts that have not entered yet
    private readonly List<PtraceContext> _running = []; // guarded by _lock
    private long _flushes; // guarded by _lock
    private bool _isDisposed; // guarded by _lock
    private Errno _failure; // guarded by _lock: of an order that was put off

    private PtraceAddressSpace(PtracePlatform platform, int pid, int page)
    {
        _platform = platform;
        Pid = pid;
        _page = page;
        _parked.Add(pid);
    }

    /// <summary>The stub process.</summary>
    public int Pid { get; }

    /// <summary>Wraps a stub process that has just been cloned, and gives it its page of orders.</summary>
    public static Result<PtraceAddressSpace> Open(PtracePlatform platform, int pid)
    {
        if (!platform.Orders.Allocate().TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        if (StubThread.Seize(platform.Region, pid, pid).TryGet(out StubThread? thread, out errno))
        {
            errno = thread.SetUp(first: false);
            if (errno == Errno.None)
            {
                errno = thread.Call(
                    SyscallNumber.mmap, platform.Region.Orders, MemoryFile.PageSize, HostMemory.ProtRead, HostMemory.MapShared | HostMemory.MapFixed,
                    (ulong)platform.Orders.Fd, platform.Orders.OffsetOf(page)).Errno;
            }

            if (errno == Errno.None)
            {
                errno = thread.Park();
            }
        }

        if (errno != Errno.None)
        {
            platform.Orders.Free(page);
            return errno;
        }

        return new PtraceAddressSpace(platform, pid, page);
    }

    /// <inheritdoc/>
    public Errno Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        lock (_lock)
        {
            _orders.Map(address, length, file, fileOffset, access, precommit);
            return Commit();
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
            return _orders.TakeOffer(address, access) && Commit() == Errno.None;
        }
    }

    /// <inheritdoc/>
    public void Begin()
    {
        // Only a thread that traces the stub could.
    }

    /// <inheritdoc/>
    public void Unmap(GuestAddress address, ulong length)
    {
        lock (_lock)
        {
            _orders.Unmap(address, length);
            Commit();
        }
    }

    /// <inheritdoc/>
    public void Protect(GuestAddress address, ulong length, MemoryAccess access)
    {
        lock (_lock)
        {
            _orders.Protect(address, length, access);
            Commit();
        }
    }

    /// <inheritdoc/>
    public void Share(GuestAddress address, ulong length, MemoryFile file, ulong fileOffset, MemoryAccess access)
    {
        lock (_lock)
        {
            _orders.Share(address, length, file, fileOffset, access);
            Commit();
        }
    }

    /// <inheritdoc/>
    public void Retire(MemoryFile file, int page, int pages)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Release(page, pages); // changes are put off only while the kernel holds every thread of the space stopped
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // As for Retire: what was put off is as good as done.
    }

    /// <inheritdoc/>
    public Errno Reserve(ref readonly int users)
    {
        lock (_lock)
        {
            _reserved = Math.Min(_reserved, Volatile.Read(in users) - 2);
            if (_parked.Count > _reserved)
            {
                _reserved++;
                return Errno.None;
            }

            if (OwnStub() is not { } stub)
            {
                throw new InvalidOperationException("room in an address space is made by a task of that space");
            }

            if (!stub.Clone(process: false).TryGet(out int tid, out Errno errno))
            {
                return errno;
            }

            _parked.Add(tid);
            _reserved++;
            return Errno.None;
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
        }

        _platform.Orders.Free(_page);
        _platform.Kill(Pid);
    }

    /// <summary>Whether orders wait to be carried out.</summary>
    internal bool HasOrders
    {
        get
        {
            lock (_lock)
            {
                return _orders.Count > 0;
            }
        }
    }

    /// <summary>Gives the calling thread a stub thread, as its tracer.</summary>
    internal Result<StubThread> Attach()
    {
        int tid;
        lock (_lock)
        {
            if (_isDisposed || _parked.Count == 0)
            {
                return Errno.ESRCH;
            }

            tid = _parked[^1];
            _parked.RemoveAt(_parked.Count - 1);
            _reserved = Math.Max(0, _reserved - 1);
        }

        return StubThread.Seize(_platform.Region, Pid, tid);
    }

    /// <summary>Takes a stub thread back from the thread that traced it.</summary>
    internal void Detach(StubThread thread)
    {
        lock (_lock)
        {
            if (!_isDisposed && thread.Park() == Errno.None)
            {
                _parked.Add(thread.Tid);
                return;
            }
        }

        thread.Reap();
        _platform.ReapKilled(); // the last thread to be traced held the process back
    }

    /// <summary>Before application code runs: carries out what was put off.</summary>
    /// <returns>The error of an order, which makes the space unusable for the application.</returns>
    internal Errno Enter(PtraceContext context, StubThread stub)
    {
        t_context = context;
        lock (_lock)
        {
            if (_orders.Count > 0)
            {
                FlushLocked(stub);
            }

            if (_failure != Errno.None)
            {
                return _failure;
            }

            _running.Add(context);
            return Errno.None;
        }
    }

    /// <summary>Application code of this context has stopped.</summary>
    internal void Leave(PtraceContext context, StubThread stub)
    {
        lock (_lock)
        {
            _running.Remove(context);
            if (_orders.Count > 0 && !_isDisposed)
            {
                FlushLocked(stub);
            }

            Monitor.PulseAll(_lock);
        }
    }

    private StubThread? OwnStub() => t_context is { } context && context.Space == this ? context.Stub : null;

    // Sees that what was ordered is in effect: now, or before application code runs again.
    private Errno Commit()
    {
        if (_isDisposed)
        {
            _orders.Clear();
        }
        else if (_orders.Count > 0 && _running.Count > 0)
        {
            FlushNowLocked();
        }

        Errno failure = _failure;
        _failure = Errno.None;
        return failure;
    }

    // By the caller's own stub, a parked one, or one whose task is made to stop for it.
    private void FlushNowLocked()
    {
        if (OwnStub() is { } own)
        {
            FlushLocked(own);
            return;
        }

        if (_parked.Count > 0 && StubThread.Seize(_platform.Region, Pid, _parked[^1]).TryGet(out StubThread? parked, out _))
        {
            FlushLocked(parked);
            parked.Park();
            return;
        }

        // Every thread of the space is in use. One that is running is made to stop, and carries out the orders as it leaves.
        long before = _flushes;
        while (_flushes == before && _running.Count > 0)
        {
            _running[0].Kick();
            Monitor.Wait(_lock);
        }
    }

    private void FlushLocked(StubThread stub)
    {
        _orders.AddOffers();
        Span<ulong> page = _platform.Orders.Words(_page);
        for (int done = 0; done < _orders.Count;)
        {
            int count = _orders.CopyTo(page, done);
            done += count;
            Errno errno = stub.CallList(count);
            if (errno != Errno.None)
            {
                _failure = errno;
            }
        }

        _orders.Clear();
        _flushes++;
    }
}
