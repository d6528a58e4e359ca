using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Moat.Kernel.Memory;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Vfs;

/// <summary>Guest pages held in place for a host call, as host addresses (see <see cref="IoBuffer.Pin"/>). Dispose it to let go, before anything that can block for long.</summary>
public struct PinnedMemory : IDisposable
{
    /// <summary>At most this many pieces are pinned at a time.</summary>
    public const int MaxSegments = 32;

    private SegmentArray _segments;
    private PageArray _pages;
    private int _count;
    private MemoryFile? _file;

    /// <summary>The pieces in order, as host addresses, for preadv(2) and pwritev(2).</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<IoVec> Segments => ((ReadOnlySpan<IoVec>)_segments)[.._count];

    /// <summary>Bytes in all pieces.</summary>
    public long Length { get; private set; }

    /// <summary>Whether another piece fits.</summary>
    internal readonly bool IsFull => _count == MaxSegments;

    /// <summary>Adds a part of neighbouring pages that are pinned for the caller; the pins pass to this object.</summary>
    internal void Add(MemoryFile file, in AcquiredPage pages, int offset, int length)
    {
        _file = file;
        _pages[_count] = (pages.Page, pages.Count);
        _segments[_count++] = new IoVec(file.HostAddress(pages.Page) + (ulong)offset, (ulong)length);
        Length += length;
    }

    /// <summary>Lets the pages go.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _count; i++)
        {
            (int page, int pages) = _pages[i];
            _file!.RemovePin(page, pages);
        }

        _count = 0;
        Length = 0;
    }

    [InlineArray(MaxSegments)]
    private struct SegmentArray
    {
        private IoVec _first;
    }

    [InlineArray(MaxSegments)]
    private struct PageArray
    {
        private (int Page, int Count) _first;
    }
}
