using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
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

    /// <summary>Adds a part of a page of which the caller holds a pin, which passes to this object.</summary>
    internal void Add(MemoryFile file, int page, int offset, int length)
    {
        _file = file;
        _pages[_count] = page;
        _segments[_count++] = new IoVec(file.HostAddress(page) + (ulong)offset, (ulong)length);
        Length += length;
    }

    /// <summary>Lets the pages go.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _count; i++)
        {
            _file!.RemovePin(_pages[i]);
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
        private int _first;
    }
}
