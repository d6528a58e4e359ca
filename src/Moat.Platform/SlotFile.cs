using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>A memfd cut into slots of equal size through which the Sentry and stubs talk: mapped into the Sentry as a whole, and slot by slot, some read-only, into stubs. Any thread.</summary>
public sealed unsafe class SlotFile : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<int> _free = new(); // guarded by _lock
    private readonly nint _base;
    private readonly int _slotSize;
    private readonly int _maxSlots;
    private int _used; // guarded by _lock

    /// <summary>Reserves the slots.</summary>
    /// <param name="name">What /proc shows, for debugging.</param>
    /// <param name="slotSize">Bytes of a slot, a multiple of the page size.</param>
    /// <param name="maxSlots">How many there can be.</param>
    /// <exception cref="InvalidOperationException">The host refuses.</exception>
    public SlotFile(ReadOnlySpan<byte> name, int slotSize, int maxSlots)
    {
        _slotSize = slotSize;
        _maxSlots = maxSlots;
        if (!HostMemory.CreateMemfd(name, sealable: true).TryGet(out int fd, out Errno errno))
        {
            throw new InvalidOperationException($"slot file: {errno}");
        }

        Fd = fd;
        errno = HostMemory.Truncate(fd, (long)Length);
        if (errno == Errno.None)
        {
            errno = HostMemory.SealSize(fd);
        }

        if (errno != Errno.None || !HostMemory.Map(0, Length, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapShared | HostMemory.MapNoReserve, fd).TryGet(out _base, out errno))
        {
            throw new InvalidOperationException($"slot file: {errno}");
        }
    }

    /// <summary>The file's descriptor, the stubs' as well.</summary>
    public int Fd { get; }

    private nuint Length => (nuint)_slotSize * (nuint)_maxSlots;

    /// <summary>Takes a slot.</summary>
    /// <returns>Its index; EAGAIN when all are in use.</returns>
    public Result<int> Allocate()
    {
        lock (_lock)
        {
            return _free.TryPop(out int slot) ? slot : _used < _maxSlots ? _used++ : Errno.EAGAIN;
        }
    }

    /// <summary>Gives a slot back.</summary>
    public void Free(int slot)
    {
        lock (_lock)
        {
            _free.Push(slot);
        }
    }

    /// <summary>Where a slot is in the file.</summary>
    public ulong OffsetOf(int slot) => (ulong)slot * (ulong)_slotSize;

    /// <summary>The Sentry's view of a slot as words.</summary>
    public Span<ulong> Words(int slot) => new((void*)AddressOf(slot), _slotSize / sizeof(ulong)); // SAFETY: inside the mapping, which lives as long as this object

    /// <summary>Where the Sentry sees a slot. The file can't shrink: the memory does not fault as long as this object lives.</summary>
    public nint AddressOf(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, _maxSlots);
        return _base + (nint)OffsetOf(slot);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        HostMemory.Unmap(_base, Length);
        HostMemory.Close(Fd);
    }
}
