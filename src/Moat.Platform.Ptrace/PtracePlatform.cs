using Moat.Host;
using Moat.Linux;
using Moat.Platform.Amd64;

namespace Moat.Platform.Ptrace;

/// <summary>Runs applications under ptrace(2) with PTRACE_SYSEMU: works on every Linux, costs two context switches for each system call.</summary>
/// <remarks>ptrace binds a tracee to the thread that seized it. A stub thread that no task uses is therefore parked in stub code without a tracer, and whoever needs it
/// (a task's thread for its life, any thread for one order) seizes it. The first stub, from which all others are cloned, is one of these.</remarks>
public sealed class PtracePlatform : IPlatform
{
    private readonly StubRegion _region = new();
    private readonly Lock _lock = new();
    private readonly int _firstStub;
    private readonly byte[] _initialFpuState = [];
    private readonly List<int> _unreaped = []; // guarded by _lock
    private readonly HashSet<int> _live = []; // guarded by _lock

    /// <summary>Starts the first stub. Before the Sentry's seccomp filter is on, and on the Sentry's first thread: the stubs die with the thread that makes the first one.</summary>
    /// <exception cref="InvalidOperationException">The host refuses a process.</exception>
    public PtracePlatform()
    {
        if (!_region.SpawnFirst().TryGet(out _firstStub, out Errno errno) || !StubThread.Seize(_region, _firstStub, _firstStub).TryGet(out StubThread? first, out errno))
        {
            throw new InvalidOperationException($"cannot start the first stub: {errno}");
        }

        Vdso = VdsoImage.Create(_region.FindHostFunction);
        errno = first.SetUp(first: true);
        if (errno == Errno.None)
        {
            _initialFpuState = first.ReadFpuState();
            errno = first.Park();
        }

        if (errno != Errno.None)
        {
            throw new InvalidOperationException($"cannot start the first stub: {errno}");
        }
    }

    /// <inheritdoc/>
    public string Name => "ptrace";

    /// <inheritdoc/>
    public GuestAddress MinAddress => new(0x1000);

    /// <inheritdoc/>
    public GuestAddress MaxAddress => new(_region.Start);

    /// <inheritdoc/>
    public ICallSitePatcher? CallSites => null;

    /// <inheritdoc/>
    public byte[]? Vdso { get; }

    /// <summary>The part of every stub that is ours.</summary>
    internal StubRegion Region => _region;

    /// <summary>Pages of orders for the stubs.</summary>
    internal SlotFile Orders { get; } = new("moat-orders"u8, MemoryFile.PageSize, 32768);

    /// <summary>The FPU state that a process starts with.</summary>
    internal ReadOnlySpan<byte> InitialFpuState => _initialFpuState;

    /// <inheritdoc/>
    public Result<IAddressSpace> NewAddressSpace()
    {
        int pid;
        lock (_lock)
        {
            ReapLocked();
            if (!StubThread.Seize(_region, _firstStub, _firstStub).TryGet(out StubThread? first, out Errno errno))
            {
                return errno;
            }

            Result<int> clone = first.Clone(process: true);
            first.Park();
            if (!clone.TryGet(out pid, out errno))
            {
                return errno;
            }

            _live.Add(pid);
        }

        if (!PtraceAddressSpace.Open(this, pid).TryGet(out PtraceAddressSpace? space, out Errno failure))
        {
            Kill(pid);
            return failure;
        }

        return space;
    }

    /// <inheritdoc/>
    public IContext NewContext() => new PtraceContext(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        int[] live;
        lock (_lock)
        {
            live = [.. _live, _firstStub];
        }

        foreach (int pid in live)
        {
            Kill(pid);
        }

        Orders.Dispose();
        _region.Dispose();
    }

    /// <summary>Kills a stub process. It is reaped now or, while a thread of it is still somebody's tracee, later.</summary>
    internal void Kill(int pid)
    {
        HostCall.Invoke(SyscallNumber.kill, pid, (int)Signal.SIGKILL);
        lock (_lock)
        {
            _live.Remove(pid);
            _unreaped.Add(pid);
            ReapLocked();
        }
    }

    /// <summary>Reaps the stub processes that have been killed and are gone by now.</summary>
    internal void ReapKilled()
    {
        lock (_lock)
        {
            ReapLocked();
        }
    }

    private void ReapLocked()
    {
        const int NoHang = 1;
        for (int i = _unreaped.Count - 1; i >= 0; i--)
        {
            if (Host.Process.WaitStatus.WaitFor(_unreaped[i], NoHang).Errno != Errno.EAGAIN)
            {
                _unreaped.RemoveAt(i);
            }
        }
    }
}
