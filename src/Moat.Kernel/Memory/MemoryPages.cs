using System.Runtime.CompilerServices;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>The content of a file that lives in memory: tmpfs files, memfds, shared anonymous memory. Sparse; pages come when they are written. Any thread.</summary>
/// <remarks>Pages are held by a reference while bytes are copied, never by the lock: a copy may fault on a mapping of this very file.</remarks>
/// <param name="memoryFile">Where the pages come from.</param>
/// <param name="budget">What the pages count against: a filesystem's size; null for no limit but memory.</param>
/// <param name="livesByMappings">Whether nothing but mappings leads to it (MAP_SHARED | MAP_ANONYMOUS): the pages go with the last one.</param>
public sealed class MemoryPages(MemoryFile memoryFile, PageBudget? budget = null, bool livesByMappings = false) : IMappable
{
    private const int PageSize = MemoryFile.PageSize;
    private const int MaxRun = 64; // pages that are copied in one go

    private readonly Lock _lock = new();
    private readonly FilePages _pages = new(memoryFile, budget); // guarded by _lock
    private readonly Dictionary<MemoryManager, int> _mappers = []; // guarded by _lock
    private long _size; // guarded by _lock
    private FileSeals _seals; // guarded by _lock
    private int _writers; // guarded by _lock: shared mappings that may write, and those about to be made

    /// <summary>Whether its pages are never given back as long as the kernel lives.</summary>
    public bool IsPermanent { get; init; }

    /// <inheritdoc/>
    public bool CanShowAhead => IsPermanent;

    /// <summary>Bytes.</summary>
    public long Size => Volatile.Read(ref _size);

    /// <summary>What may no longer be done to it (F_GET_SEALS).</summary>
    public FileSeals Seals => (FileSeals)Volatile.Read(ref Unsafe.As<FileSeals, int>(ref _seals));

    /// <summary>Bytes of pages that exist.</summary>
    public long AllocatedBytes
    {
        get
        {
            lock (_lock)
            {
                return _pages.Count * PageSize;
            }
        }
    }

    /// <summary>Reads into a buffer.</summary>
    public SyscallResult Read(ref IoBuffer destination, long offset)
    {
        long done = 0;
        while (!destination.IsEmpty)
        {
            int page;
            int pages = 1;
            long left;
            int inPage = (int)(offset % PageSize);
            lock (_lock)
            {
                left = Math.Min(_size - offset, destination.Length);
                if (left <= 0)
                {
                    break;
                }

                page = _pages[(ulong)offset / PageSize];
                if (page >= 0)
                {
                    pages = _pages.RunOf((ulong)offset / PageSize, page, PagesOf(inPage, left));
                    memoryFile.AddReference(page, pages);
                }
            }

            int count = (int)Math.Min((pages * PageSize) - inPage, left);
            Result<int> copied = page >= 0 ? destination.CopyFrom(memoryFile.Bytes(page, inPage, count)) : ToInt(destination.Clear(count));
            if (page >= 0)
            {
                memoryFile.Release(page, pages);
            }

            if (!copied.TryGet(out int part, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            done += part;
            offset += part;
            if (part < count)
            {
                break;
            }
        }

        return done;
    }

    /// <summary>Writes from a buffer, growing the file.</summary>
    /// <returns>The count; ENOSPC when memory is out.</returns>
    public SyscallResult Write(ref IoBuffer source, long offset)
    {
        long done = 0;
        while (!source.IsEmpty)
        {
            int page;
            int pages;
            bool isNew;
            int inPage = (int)(offset % PageSize);
            int count = (int)Math.Min(PageSize - inPage, source.Length);
            lock (_lock)
            {
                if ((_seals & FileSeals.AnyWrite) != 0 || ((_seals & FileSeals.Grow) != 0 && offset + count > _size))
                {
                    return done > 0 ? done : Errno.EPERM;
                }

                int wanted = (_seals & FileSeals.Grow) != 0 ? 1 : PagesOf(inPage, source.Length);
                if (!_pages.ForWrite((ulong)offset / PageSize, wanted, out pages, out isNew).TryGet(out page, out Errno failure))
                {
                    return done > 0 ? done : failure;
                }

                memoryFile.AddReference(page, pages);
            }

            count = (int)Math.Min((pages * PageSize) - inPage, source.Length);
            Result<int> copied = source.CopyTo(memoryFile.Bytes(page, inPage, count));
            memoryFile.Release(page, pages);
            bool isCopied = copied.TryGet(out int part, out Errno errno);
            lock (_lock)
            {
                _size = part > 0 ? Math.Max(_size, offset + part) : _size;
                if (isNew && part < count)
                {
                    _pages.DropUnwritten(offset + part, offset + count, _size);
                }
            }

            if (!isCopied)
            {
                return done > 0 ? done : errno;
            }

            done += part;
            offset += part;

            if (part < count)
            {
                break;
            }
        }

        return done;
    }

    /// <summary>Adds seals (F_ADD_SEALS).</summary>
    /// <returns>EPERM once <see cref="FileSeals.Seal"/> is there; EBUSY for <see cref="FileSeals.Write"/> while a shared mapping may write.</returns>
    public Errno AddSeals(FileSeals seals)
    {
        lock (_lock)
        {
            if ((_seals & FileSeals.Seal) != 0)
            {
                return Errno.EPERM;
            }

            if ((seals & ~_seals & FileSeals.Write) != 0 && _writers > 0)
            {
                return Errno.EBUSY;
            }

            _seals |= seals;
            return Errno.None;
        }
    }

    /// <summary>ftruncate(2).</summary>
    /// <returns>EPERM where a seal forbids it.</returns>
    public Errno Resize(long size)
    {
        lock (_lock)
        {
            if ((size < _size && (_seals & FileSeals.Shrink) != 0) || (size > _size && (_seals & FileSeals.Grow) != 0))
            {
                return Errno.EPERM;
            }
        }

        SetSize(size);
        return Errno.None;
    }

    /// <summary>Sets the size, whatever the seals.</summary>
    public void SetSize(long size)
    {
        long before;
        lock (_lock)
        {
            before = _size;
            _size = size;
            if (size < before)
            {
                _pages.Remove(((ulong)size + PageSize - 1) / PageSize, ulong.MaxValue / PageSize);
                int last = size % PageSize != 0 ? _pages[(ulong)size / PageSize] : -1;
                if (last >= 0)
                {
                    memoryFile.Bytes(last, (int)(size % PageSize), PageSize - (int)(size % PageSize)).Clear();
                }
            }
        }

        if (size < before)
        {
            Invalidate(AddressLayout.RoundUp((ulong)size), ulong.MaxValue);
        }
    }

    /// <summary>fallocate(2) with FALLOC_FL_PUNCH_HOLE.</summary>
    /// <returns>EPERM where a seal forbids it.</returns>
    public Errno PunchHole(long offset, long length)
    {
        ulong first = ((ulong)offset + PageSize - 1) / PageSize;
        ulong end = (ulong)(offset + length) / PageSize;
        lock (_lock)
        {
            if ((_seals & FileSeals.AnyWrite) != 0)
            {
                return Errno.EPERM;
            }

            _pages.ClearPart(offset, Math.Min(offset + length, (long)first * PageSize));
            if (end >= first)
            {
                _pages.ClearPart(Math.Max(offset, (long)end * PageSize), offset + length);
            }

            if (end > first)
            {
                _pages.Remove(first, end);
            }
        }

        if (end > first)
        {
            Invalidate(first * PageSize, (end - first) * PageSize);
        }

        return Errno.None;
    }

    /// <summary>fallocate(2): makes pages exist.</summary>
    /// <returns>EPERM where a seal forbids it; ENOSPC, with what was there before untouched.</returns>
    public Errno Allocate(long offset, long length, bool keepSize)
    {
        if ((ulong)length > memoryFile.LimitBytes)
        {
            return Errno.ENOSPC;
        }

        lock (_lock)
        {
            if ((_seals & FileSeals.Grow) != 0 && offset + length > _size)
            {
                return Errno.EPERM;
            }

            ulong first = (ulong)offset / PageSize;
            ulong end = ((ulong)(offset + length) + PageSize - 1) / PageSize;
            long missing = (long)(end - first);
            _pages.ForEach(first, end, (_, _) => missing--);
            ulong room = memoryFile.LimitBytes - Math.Min(memoryFile.LimitBytes, memoryFile.UsedBytes);
            if ((ulong)missing > room / PageSize || missing > (budget?.Available ?? long.MaxValue))
            {
                return Errno.ENOSPC;
            }

            for (ulong index = first; index < end; index++)
            {
                Errno errno = _pages.ForWrite(index).Errno;
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            if (!keepSize)
            {
                _size = Math.Max(_size, offset + length);
            }

            return Errno.None;
        }
    }

    /// <summary>SEEK_DATA and SEEK_HOLE.</summary>
    /// <returns>The offset; ENXIO at or beyond the end.</returns>
    public SyscallResult Seek(long offset, bool data)
    {
        lock (_lock)
        {
            if (offset < 0 || offset >= _size)
            {
                return Errno.ENXIO;
            }

            long found = data ? (long)Math.Min(_pages.FirstPresent((ulong)offset / PageSize), long.MaxValue / PageSize) : (long)_pages.FirstAbsent((ulong)offset / PageSize);
            long at = Math.Max(offset, found * PageSize);
            return at < _size ? at : data ? Errno.ENXIO : _size;
        }
    }

    /// <summary>The file is gone: its pages go, but for those somebody still shows.</summary>
    public void Clear() => SetSize(0);

    /// <inheritdoc/>
    public MemoryAccess BeginShare()
    {
        lock (_lock)
        {
            if ((_seals & FileSeals.AnyWrite) != 0)
            {
                return MemoryAccess.Read | MemoryAccess.Execute;
            }

            _writers++;
            return MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute;
        }
    }

    /// <inheritdoc/>
    public void EndShare()
    {
        lock (_lock)
        {
            _writers--;
        }
    }

    /// <inheritdoc/>
    public Result<MappablePages> Translate(ulong offset, ulong length, MemoryAccess access)
    {
        lock (_lock)
        {
            if (offset >= AddressLayout.RoundUp((ulong)_size))
            {
                return Errno.EFAULT;
            }

            ulong index = offset / PageSize;
            if (!_pages.ForWrite(index).TryGet(out int page, out Errno errno))
            {
                return errno;
            }

            ulong pages = 1;
            ulong limit = Math.Min(length / PageSize, (AddressLayout.RoundUp((ulong)_size) - offset) / PageSize);
            while (pages < limit && _pages[index + pages] == page + (int)pages)
            {
                pages++;
            }

            return new MappablePages(memoryFile, (ulong)page * PageSize, pages * PageSize, MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute);
        }
    }

    /// <inheritdoc/>
    public Result<int> ReadAt(ulong offset, Span<byte> destination)
    {
        IoBuffer buffer = new(destination);
        SyscallResult result = Read(ref buffer, (long)offset);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <inheritdoc/>
    public Result<int> WriteAt(ulong offset, ReadOnlySpan<byte> source)
    {
        byte[] copy = source.ToArray();
        IoBuffer buffer = new(copy);
        SyscallResult result = Write(ref buffer, (long)offset);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <summary>Whether somebody has mapped it.</summary>
    public bool IsMapped
    {
        get
        {
            lock (_lock)
            {
                return _mappers.Count > 0;
            }
        }
    }

    /// <inheritdoc/>
    public void AddMapping(MemoryManager memory, bool isWritable)
    {
        lock (_lock)
        {
            _writers += isWritable ? 1 : 0;
            _mappers[memory] = _mappers.GetValueOrDefault(memory) + 1;
        }
    }

    /// <inheritdoc/>
    public void RemoveMapping(MemoryManager memory, bool isWritable)
    {
        lock (_lock)
        {
            _writers -= isWritable ? 1 : 0;
            int left = _mappers.GetValueOrDefault(memory) - 1;
            if (left > 0)
            {
                _mappers[memory] = left;
                return;
            }

            _mappers.Remove(memory);
            if (livesByMappings && _mappers.Count == 0)
            {
                _pages.Remove(0, ulong.MaxValue / PageSize);
            }
        }
    }

    private static Result<int> ToInt(Result<long> result) => result.TryGet(out long value, out Errno errno) ? (int)value : errno;

    // How many pages a transfer touches, as far as they are taken in one go.
    private static int PagesOf(int inPage, long length) => (int)Math.Min((inPage + length + PageSize - 1) / PageSize, MaxRun);

    private void Invalidate(ulong offset, ulong length)
    {
        MemoryManager[] mappers;
        lock (_lock)
        {
            mappers = [.. _mappers.Keys];
        }

        foreach (MemoryManager mapper in mappers)
        {
            mapper.InvalidateFilePages(this, offset, length);
        }
    }
}
