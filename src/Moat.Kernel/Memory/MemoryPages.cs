using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>The content of a file that lives in memory: tmpfs files, memfds, shared anonymous memory. Sparse; pages come when they are written. Any thread.</summary>
/// <remarks>Pages are held by a reference while bytes are copied, never by the lock: a copy may fault on a mapping of this very file.</remarks>
public sealed class MemoryPages(MemoryFile memoryFile) : IMappable
{
    private const int PageSize = MemoryFile.PageSize;

    private readonly Lock _lock = new();
    private readonly PageTable _pages = new(); // guarded by _lock
    private readonly Dictionary<MemoryManager, int> _mappers = []; // guarded by _lock
    private long _size; // guarded by _lock

    /// <summary>Bytes.</summary>
    public long Size => Volatile.Read(ref _size);

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
            long left;
            lock (_lock)
            {
                left = _size - offset;
                if (left <= 0)
                {
                    break;
                }

                page = _pages[(ulong)offset / PageSize];
                if (page >= 0)
                {
                    memoryFile.AddReference(page);
                }
            }

            int inPage = (int)(offset % PageSize);
            int count = (int)Math.Min(Math.Min(PageSize - inPage, left), destination.Length);
            Result<int> copied = page >= 0 ? destination.CopyFrom(memoryFile.Bytes(page, inPage, count)) : ToInt(destination.Clear(count));
            if (page >= 0)
            {
                memoryFile.Release(page);
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
            lock (_lock)
            {
                if (!PageForWriteLocked((ulong)offset / PageSize).TryGet(out page, out Errno failure))
                {
                    return done > 0 ? done : failure;
                }

                memoryFile.AddReference(page);
            }

            int inPage = (int)(offset % PageSize);
            int count = (int)Math.Min(PageSize - inPage, source.Length);
            Result<int> copied = source.CopyTo(memoryFile.Bytes(page, inPage, count));
            memoryFile.Release(page);
            if (!copied.TryGet(out int part, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            done += part;
            offset += part;
            lock (_lock)
            {
                _size = Math.Max(_size, offset);
            }

            if (part < count)
            {
                break;
            }
        }

        return done;
    }

    /// <summary>ftruncate(2).</summary>
    public void SetSize(long size)
    {
        long before;
        lock (_lock)
        {
            before = _size;
            _size = size;
            if (size < before)
            {
                RemovePagesLocked(((ulong)size + PageSize - 1) / PageSize, ulong.MaxValue / PageSize);
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
    public void PunchHole(long offset, long length)
    {
        ulong first = ((ulong)offset + PageSize - 1) / PageSize;
        ulong end = (ulong)(offset + length) / PageSize;
        lock (_lock)
        {
            ClearPartLocked(offset, Math.Min(offset + length, (long)first * PageSize));
            if (end >= first)
            {
                ClearPartLocked(Math.Max(offset, (long)end * PageSize), offset + length);
            }

            if (end > first)
            {
                RemovePagesLocked(first, end);
            }
        }

        if (end > first)
        {
            Invalidate(first * PageSize, (end - first) * PageSize);
        }
    }

    /// <summary>fallocate(2): makes pages exist.</summary>
    public Errno Allocate(long offset, long length, bool keepSize)
    {
        lock (_lock)
        {
            for (ulong index = (ulong)offset / PageSize; index * PageSize < (ulong)(offset + length); index++)
            {
                Errno errno = PageForWriteLocked(index).Errno;
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

            for (long at = offset; at < _size; at = ((at / PageSize) + 1) * PageSize)
            {
                if (_pages[(ulong)at / PageSize] >= 0 == data)
                {
                    return at;
                }
            }

            return data ? Errno.ENXIO : _size;
        }
    }

    /// <summary>The file is gone: its pages go, but for those somebody still shows.</summary>
    public void Clear() => SetSize(0);

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
            if (!PageForWriteLocked(index).TryGet(out int page, out Errno errno))
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

    /// <inheritdoc/>
    public void AddMapping(MemoryManager memory)
    {
        lock (_lock)
        {
            _mappers[memory] = _mappers.GetValueOrDefault(memory) + 1;
        }
    }

    /// <inheritdoc/>
    public void RemoveMapping(MemoryManager memory)
    {
        lock (_lock)
        {
            int left = _mappers.GetValueOrDefault(memory) - 1;
            if (left > 0)
            {
                _mappers[memory] = left;
                return;
            }

            _mappers.Remove(memory);
        }
    }

    private static Result<int> ToInt(Result<long> result) => result.TryGet(out long value, out Errno errno) ? (int)value : errno;

    private Result<int> PageForWriteLocked(ulong index)
    {
        int page = _pages[index];
        if (page >= 0)
        {
            return page;
        }

        if (!memoryFile.Allocate(1, out _).TryGet(out page, out _))
        {
            return Errno.ENOSPC;
        }

        _pages.Set(index, page);
        return page;
    }

    private void ClearPartLocked(long from, long to)
    {
        int page = to > from ? _pages[(ulong)from / PageSize] : -1;
        if (page >= 0)
        {
            memoryFile.Bytes(page, (int)(from % PageSize), (int)(to - from)).Clear();
        }
    }

    private void RemovePagesLocked(ulong first, ulong end) => _pages.Remove(first, end, (_, page) => memoryFile.Release(page));

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
