using System.Runtime.Intrinsics.X86;
using Moat.Host;
using Moat.Linux;
using Moat.Platform.Amd64;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>Runs applications in stub processes whose system calls and faults arrive in a signal handler that hands over through shared memory: no tracer.</summary>
/// <remarks>The first stub never runs application code: all others are forked from it at the Sentry's order.</remarks>
public sealed class SystrapPlatform : IPlatform
{
    private const int MaxStubs = 32768;

    private readonly SlotFile _orderPages = new("moat-orders"u8, MemoryFile.PageSize, MaxStubs);
    private readonly SlotFile _slots = new("moat-threads"u8, ThreadSlot.Size, 2 * StubLayout.MaxThreads);
    private readonly SystrapRegion _region;
    private readonly StubProcess _first;
    private readonly Lock _lock = new();
    private readonly HashSet<SystrapAddressSpace> _live = []; // guarded by _lock
    private readonly StubNursery _nursery; // guarded by _lock
    private readonly bool _spins;

    /// <summary>Starts the first stub. Before the Sentry's seccomp filter is on, and on the Sentry's first thread: the stubs die with the thread that makes the first one.</summary>
    /// <param name="patchesCallSites">Whether the application's code may be changed to make its system calls cheaper.</param>
    /// <param name="spins">Whether the two sides of a hand-over may look for their turn before they sleep.</param>
    /// <exception cref="InvalidOperationException">The host or the processor lacks something.</exception>
    public SystrapPlatform(bool patchesCallSites = true, bool spins = true)
    {
        _spins = spins;
        const ulong FsGsBase = 2; // HWCAP2_FSGSBASE
        if ((HostAuxiliary.GetValue(HostAuxiliary.Hwcap2) & FsGsBase) == 0)
        {
            throw new InvalidOperationException("the processor or the host has no FSGSBASE");
        }

        if (!HasRdtscp())
        {
            throw new InvalidOperationException("the processor has no RDTSCP");
        }

        _region = new SystrapRegion(_orderPages.Fd);
        Vdso = VdsoImage.Create(_region.FindHostFunction);
        CallSites = patchesCallSites && HasBmi2() ? new CallSitePatcher(_region.Code.Fast) : null;
        if (!StubProcess.Prepare(_orderPages).TryGet(out StubProcess? first, out Errno errno))
        {
            throw new InvalidOperationException($"cannot start the first stub: {errno}");
        }

        // It finds its page at the start of the file, with nothing to do in it but to report.
        _first = first;
        first.Follows = false; // nobody waits for the stubs that it forks ahead
        first.Post(new StubOrders(), 0);
        if (!StubPlace.SpawnFirst(_region.Code.Spawn).TryGet(out int pid, out errno))
        {
            throw new InvalidOperationException($"cannot start the first stub: {errno}");
        }

        first.Pid = pid;
        StubPlace.Check(first.Await().Errno, "cannot start the first stub");
        _nursery = new StubNursery(this, first, _orderPages);
        Fpu = LearnFpuLayout();
    }

    /// <inheritdoc/>
    public string Name => "systrap";

    /// <inheritdoc/>
    public GuestAddress MinAddress => new(0x1000);

    /// <inheritdoc/>
    public GuestAddress MaxAddress => new(_region.Layout.Start);

    /// <inheritdoc/>
    public ICallSitePatcher? CallSites { get; }

    /// <inheritdoc/>
    public byte[]? Vdso { get; }

    /// <summary>The code in every stub.</summary>
    internal SystrapCode Code => _region.Code;

    /// <summary>The FPU state in frames.</summary>
    internal FpuLayout Fpu { get; }

    /// <summary>Who waits for the end of stubs.</summary>
    internal Undertaker Undertaker { get; } = new();

    /// <inheritdoc/>
    public Result<IAddressSpace> NewAddressSpace()
    {
        Undertaker.Sweep();
        lock (_lock)
        {
            if (!_nursery.Take().TryGet(out WarmStub? stub, out Errno errno))
            {
                return errno;
            }

            SystrapAddressSpace space = new(this, stub.Process, stub.Thread);
            _live.Add(space);
            return space;
        }
    }

    /// <inheritdoc/>
    public IContext NewContext() => new SystrapContext(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        SystrapAddressSpace[] live;
        lock (_lock)
        {
            live = [.. _live];
            _nursery.Dispose();
        }

        foreach (SystrapAddressSpace space in live)
        {
            space.Dispose();
            space.Bury();
        }

        Undertaker.End();
        _first.Kill();
        _first.Bury();
        _orderPages.Dispose();
        _slots.Dispose();
        _region.Dispose();
    }

    /// <summary>Where its contexts' threads are.</summary>
    internal PairPlaces Places { get; } = new(HostProcessors.All());

    /// <summary>Whether the two sides of a hand-over may each look for their turn.</summary>
    internal bool MaySpin => _spins && Places.HasLanes;

    /// <summary>Prepares a slot for a thread.</summary>
    /// <param name="index">Which thread of its process.</param>
    internal Result<StubThread> NewThread(int index)
    {
        if (index >= StubLayout.MaxThreads)
        {
            return Errno.EAGAIN;
        }

        return _slots.Allocate().TryGet(out int slot, out Errno errno) ? new StubThread(_slots, slot, AddressOf(index)) : errno;
    }

    /// <summary>The orders that make a thread.</summary>
    internal void OrderThread(StubOrders orders, StubThread thread, int index)
    {
        const int SharedFixedPopulate = HostMemory.MapShared | HostMemory.MapFixed | HostMemory.MapPopulate;
        const int ReadWrite = HostMemory.ProtRead | HostMemory.ProtWrite;
        orders.Add(SyscallNumber.mmap, AddressOf(index), ThreadSlot.Size, ReadWrite, SharedFixedPopulate, (ulong)_slots.Fd, _slots.OffsetOf(thread.Slot));
        orders.Add(OrderPage.MakeThread, AddressOf(index));
    }

    /// <summary>Takes back the slot of a thread whose process is gone.</summary>
    internal void FreeThread(StubThread thread)
    {
        _slots.Words(thread.Slot).Clear(); // it holds registers of an application
        _slots.Free(thread.Slot);
    }

    /// <summary>A space's process is gone.</summary>
    internal void Forget(SystrapAddressSpace space)
    {
        lock (_lock)
        {
            _live.Remove(space);
        }
    }

    private ulong AddressOf(int index) => _region.Layout.Slots + ((ulong)index * ThreadSlot.Size);

    private FpuLayout LearnFpuLayout()
    {
        if (!_nursery.See().TryGet(out WarmStub? stub, out Errno errno))
        {
            throw new InvalidOperationException($"cannot start a stub: {errno}");
        }

        const int Seconds = 10;
        const long SecondMs = 1000;
        for (int i = 0; i < Seconds; i++)
        {
            if (stub.Thread.WaitForTurn(looks: 0, yields: 0, SecondMs) != HandOverResult.TimedOut && stub.Thread.FindFrame() is >= 0 and int frame)
            {
                return new FpuLayout(stub.Thread.FpuState(frame, 0x400));
            }
        }

        throw new InvalidOperationException("a stub does not start");
    }

    // Asked of the processor: what the runtime says is what it was compiled for.
    private static bool HasRdtscp()
    {
        const int ExtendedFeatures = unchecked((int)0x80000001);
        const int Rdtscp = 1 << 27;
        return (X86Base.CpuId(ExtendedFeatures, 0).Edx & Rdtscp) != 0;
    }

    private static bool HasBmi2()
    {
        const int ExtendedFeatures = 7;
        const int Bmi2 = 1 << 8;
        return (X86Base.CpuId(ExtendedFeatures, 0).Ebx & Bmi2) != 0;
    }
}
