using Moat.Host;
using Moat.Linux;

namespace Moat.Platform.Ptrace;

/// <summary>Pages through which the Sentry gives stubs their orders, one for each stub process: writable here, mapped read-only there.</summary>
internal sealed unsafe class OrdersFile : IDisposable
{
    /// <summary>Bytes of one page of orders.</summary>
    public const int PageSize = 4096;

    private const int MaxPages = 32768;

    private readonly Lock _lock = new();
    private readonly Stack<int> _free = new(); // guarded by _lock
    private readonly nint _base;
    private int _used; // guarded by _lock

    /// <summary>Reserves the pages.</summary>
    /// <exception cref="InvalidOperationException">The host refuses.</exception>
    public OrdersFile()
    {
        const nuint Length = (nuint)MaxPages * PageSize;
        if (!HostMemory.CreateMemfd("moat-orders"u8, sealable: false).TryGet(out int fd, out Errno errno))
        {
            throw new InvalidOperationException($"orders: {errno}");
        }

        Fd = fd;
        errno = HostMemory.Truncate(fd, (long)Length);
        if (errno != Errno.None || !HostMemory.Map(0, Length, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapShared | HostMemory.MapNoReserve, fd).TryGet(out _base, out errno))
        {
            throw new InvalidOperationException($"orders: {errno}");
        }
    }

    /// <summary>The file's descriptor, the stubs' as well.</summary>
    public int Fd { get; }

    /// <summary>Takes a page.</summary>
    /// <returns>Its index; EAGAIN when all are in use.</returns>
    public Result<int> Allocate()
    {
        lock (_lock)
        {
            return _free.TryPop(out int page) ? page : _used < MaxPages ? _used++ : Errno.EAGAIN;
        }
    }

    /// <summary>Gives a page back.</summary>
    public void Free(int page)
    {
        lock (_lock)
        {
            _free.Push(page);
        }
    }

    /// <summary>The Sentry's view of a page.</summary>
    public Span<ulong> Page(int page) => new((byte*)_base + ((nint)page * PageSize), PageSize / sizeof(ulong)); // SAFETY: the mapping covers MaxPages pages and lives as long as this object

    /// <inheritdoc/>
    public void Dispose()
    {
        HostMemory.Unmap(_base, (nuint)MaxPages * PageSize);
        HostMemory.Close(Fd);
    }
}
