using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>The memfd that holds all application memory: anonymous memory, tmpfs, copies of file pages. It is mapped into the Sentry as a whole and sealed against shrinking,
/// so that a pointer into it cannot fault. Any thread.</summary>
/// <remarks>Pages are counted: whoever shows a page (an address space, a tmpfs file) holds a reference; whoever copies to or from it for the moment holds a pin, which keeps it as well
/// but does not make it shared. Pages are zero when they are allocated.</remarks>
public sealed unsafe class MemoryFile : IMappableFile, IDisposable
{
    /// <summary>Bytes of a page.</summary>
    public const int PageSize = 4096;

    private const long Pin = 1L << 32;
    private const int MaxKeptPages = 4096; // 16 MiB

    private readonly Lock _lock = new();
    private readonly byte* _base;
    private readonly long[] _references; // written with Interlocked; by page: references below, pins from bit 32 on
    private readonly FreePages _free = new(); // guarded by _lock
    private readonly int _pageCount;
    private int _usedPages; // guarded by _lock
    private int _keptPages;

    /// <param name="limitBytes">How much can be allocated.</param>
    /// <exception cref="InvalidOperationException">The host refuses.</exception>
    public MemoryFile(ulong limitBytes)
    {
        _pageCount = (int)Math.Min(limitBytes / PageSize, int.MaxValue / 2);
        nuint length = (nuint)_pageCount * PageSize;
        if (!HostMemory.CreateMemfd("moat-memory"u8, sealable: true).TryGet(out int fd, out Errno errno))
        {
            throw new InvalidOperationException($"memory file: {errno}");
        }

        HostFd = fd;
        errno = HostMemory.Truncate(fd, (long)length);
        if (errno == Errno.None)
        {
            errno = HostMemory.SealSize(fd);
        }

        if (errno != Errno.None || !HostMemory.Map(0, length, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapShared | HostMemory.MapNoReserve, fd).TryGet(out nint address, out errno))
        {
            throw new InvalidOperationException($"memory file: {errno}");
        }

        _base = (byte*)address;
        _references = new long[_pageCount];
        _free.AddFresh(1, _pageCount - 1); // page 0 stays out, so that a neighbour below the first page is never -1: "none"
    }

    /// <inheritdoc/>
    public int HostFd { get; }

    /// <summary>How much is allocated.</summary>
    public ulong UsedBytes => (ulong)Volatile.Read(ref _usedPages) * PageSize;

    /// <summary>How much can be.</summary>
    public ulong LimitBytes => (ulong)_pageCount * PageSize;

    /// <summary>Allocates neighbouring pages, each with one reference.</summary>
    /// <param name="wantedPages">How many are useful; fewer may come.</param>
    /// <param name="pages">How many came, at least one.</param>
    /// <param name="clear">Whether they have to be zero. Who says no writes to all of every page before anybody sees it.</param>
    /// <returns>The number of the first page; ENOMEM when none is left.</returns>
    public Result<int> Allocate(int wantedPages, out int pages, bool clear = true)
    {
        int page;
        bool isUsed;
        lock (_lock)
        {
            if (!_free.TryTake(wantedPages, out page, out pages, out isUsed))
            {
                return Errno.ENOMEM;
            }

            _usedPages += pages;
        }

        _references.AsSpan(page, pages).Fill(1);
        if (isUsed && clear)
        {
            Bytes(page, 0, pages * PageSize).Clear();
        }

        return page;
    }

    /// <summary>Takes another reference on each of the pages, of which the caller holds one.</summary>
    public void AddReference(int page, int pages = 1)
    {
        for (int i = page; i < page + pages; i++)
        {
            Interlocked.Increment(ref _references[i]);
        }
    }

    /// <summary>Gives a reference on each of the pages back; a page without is free.</summary>
    public void Release(int page, int pages = 1)
    {
        int runStart = -1;
        for (int i = page; i < page + pages; i++)
        {
            if (Interlocked.Decrement(ref _references[i]) == 0)
            {
                runStart = runStart < 0 ? i : runStart;
                continue;
            }

            if (runStart >= 0)
            {
                Free(runStart, i - runStart);
                runStart = -1;
            }
        }

        if (runStart >= 0)
        {
            Free(runStart, page + pages - runStart);
        }
    }

    /// <summary>Keeps pages while bytes are copied to or from them; the caller knows that somebody holds a reference on each.</summary>
    public void AddPin(int page, int pages = 1)
    {
        for (int i = page; i < page + pages; i++)
        {
            Interlocked.Add(ref _references[i], Pin);
        }
    }

    /// <summary>Ends an <see cref="AddPin"/>; a page without references and pins is free.</summary>
    public void RemovePin(int page, int pages = 1)
    {
        for (int i = page; i < page + pages; i++)
        {
            if (Interlocked.Add(ref _references[i], -Pin) == 0)
            {
                Free(i, 1);
            }
        }
    }

    /// <summary>Whether the caller's reference is the only one, pins aside: the page may be written in place.</summary>
    public bool IsSole(int page) => (uint)Volatile.Read(ref _references[page]) == 1;

    /// <summary>Whether nobody else has a reference on any of the pages, or copies to or from it.</summary>
    public bool AreIdle(int page, int pages) => !_references.AsSpan(page, pages).ContainsAnyExcept(1L);

    /// <summary>Counts pages that are kept for nobody but one application (<see cref="IAddressSpace.Keep"/>); false if there are enough of them.</summary>
    public bool TryCountKept(int pages)
    {
        if (Interlocked.Add(ref _keptPages, pages) <= MaxKeptPages)
        {
            return true;
        }

        Interlocked.Add(ref _keptPages, -pages);
        return false;
    }

    /// <summary>They are not kept any more.</summary>
    public void UncountKept(int pages) => Interlocked.Add(ref _keptPages, -pages);

    /// <summary>Bytes of one or more neighbouring pages. The caller holds a reference on them as long as it uses the span.</summary>
    public Span<byte> Bytes(int page, int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(page);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(((ulong)page * PageSize) + (ulong)offset + (ulong)length, LimitBytes);

        // SAFETY: inside the mapping, which is never unmapped while the Sentry runs; the file can't shrink.
        return new Span<byte>(_base + ((nuint)page * PageSize) + offset, length);
    }

    /// <summary>The Sentry's address of a page, for host calls that take one.</summary>
    public ulong HostAddress(int page) => (ulong)_base + ((ulong)page * PageSize);

    /// <inheritdoc/>
    public void Dispose()
    {
        HostMemory.Unmap((nint)_base, (nuint)_pageCount * PageSize);
        HostMemory.Close(HostFd);
    }

    private void Free(int page, int pages)
    {
        lock (_lock)
        {
            if (_free.TryAddUsed(page, pages))
            {
                _usedPages -= pages;
                return;
            }
        }

        // The hole reads as zeros; only then may somebody else have the pages.
        HostMemory.PunchHole(HostFd, (long)page * PageSize, (long)pages * PageSize);
        lock (_lock)
        {
            _usedPages -= pages;
            _free.AddFresh(page, pages);
        }
    }
}
