using Moat.Host;
using Moat.Linux;
using Moat.Platform.Ptrace.Amd64;

namespace Moat.Platform.Ptrace;

/// <summary>An address space as a stub process. Changes are collected on its page of orders and carried out in one go by the next thread that enters the space,
/// or at once while application code of the space is running.</summary>
internal sealed class PtraceAddressSpace : IAddressSpace
{
    private const int WordsPerOrder = StubCode.ListEntrySize / sizeof(ulong);
    private const int MaxOrdersPerRun = OrdersFile.PageSize / StubCode.ListEntrySize;

    [ThreadStatic]
    private static PtraceContext? t_context; // ptrace binds a tracee to a thread: this is that binding

    private readonly PtracePlatform _platform;
    private readonly int _page;
    private readonly object _lock = new();
    private readonly ShownRanges _shown = new(); // guarded by _lock
    private readonly List<int> _parked = []; // guarded by _lock
    private readonly List<PtraceContext> _running = []; // guarded by _lock
    private ulong[] _orders = new ulong[MaxOrdersPerRun * WordsPerOrder]; // guarded by _lock
    private int _orderCount; // guarded by _lock
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
                    SyscallNumber.mmap, platform.Region.Orders, OrdersFile.PageSize, HostMemory.ProtRead, HostMemory.MapShared | HostMemory.MapFixed,
                    (ulong)platform.Orders.Fd, (ulong)page * OrdersFile.PageSize).Errno;
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
        int flags = HostMemory.MapShared | HostMemory.MapFixed | (precommit ? HostMemory.MapPopulate : 0);
        lock (_lock)
        {
            _shown.Add(address.Value, address.Value + length);
            AddOrder(SyscallNumber.mmap, address.Value, length, (ulong)ProtectionOf(access), (ulong)flags, (ulong)file.HostFd, fileOffset);
            return Commit();
        }
    }

    /// <inheritdoc/>
    public void Unmap(GuestAddress address, ulong length)
    {
        lock (_lock)
        {
            if (_shown.Remove(address.Value, address.Value + length))
            {
                AddOrder(SyscallNumber.munmap, address.Value, length);
                Commit();
            }
        }
    }

    /// <inheritdoc/>
    public void Protect(GuestAddress address, ulong length, MemoryAccess access)
    {
        lock (_lock)
        {
            _shown.ForEach(address.Value, address.Value + length, (start, end) => AddOrder(SyscallNumber.mprotect, start, end - start, (ulong)ProtectionOf(access)));
            Commit();
        }
    }

    /// <inheritdoc/>
    public Errno Reserve()
    {
        lock (_lock)
        {
            if (_parked.Count > 0)
            {
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
                return _orderCount > 0;
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
    }

    /// <summary>Before application code runs: carries out what was put off.</summary>
    /// <returns>The error of an order, which makes the space unusable for the application.</returns>
    internal Errno Enter(PtraceContext context, StubThread stub)
    {
        t_context = context;
        lock (_lock)
        {
            if (_orderCount > 0)
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
            if (_orderCount > 0 && !_isDisposed)
            {
                FlushLocked(stub);
            }

            Monitor.PulseAll(_lock);
        }
    }

    private static int ProtectionOf(MemoryAccess access) => (int)access; // PROT_READ, PROT_WRITE and PROT_EXEC have the same bits

    private StubThread? OwnStub() => t_context is { } context && context.Space == this ? context.Stub : null;

    private void AddOrder(SyscallNumber number, ulong a0, ulong a1, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        if (_isDisposed)
        {
            return;
        }

        if ((_orderCount + 1) * WordsPerOrder > _orders.Length)
        {
            Array.Resize(ref _orders, _orders.Length * 2);
        }

        ReadOnlySpan<ulong> order = [(ulong)number, a0, a1, a2, a3, a4, a5];
        order.CopyTo(_orders.AsSpan(_orderCount++ * WordsPerOrder));
    }

    // Sees that what was ordered is in effect: now, or before application code runs again.
    private Errno Commit()
    {
        if (_orderCount > 0 && _running.Count > 0)
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
        Span<ulong> page = _platform.Orders.Page(_page);
        for (int done = 0; done < _orderCount; done += MaxOrdersPerRun)
        {
            int count = Math.Min(MaxOrdersPerRun, _orderCount - done);
            _orders.AsSpan(done * WordsPerOrder, count * WordsPerOrder).CopyTo(page);
            Errno errno = stub.CallList(count);
            if (errno != Errno.None)
            {
                _failure = errno;
            }
        }

        _orderCount = 0;
        _flushes++;
    }
}
