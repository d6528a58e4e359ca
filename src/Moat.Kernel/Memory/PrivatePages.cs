using System.Numerics;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Gives private mappings pages of their own, more than the one that is touched where its neighbours will be wanted: a fault costs as much as the copy of many pages.
/// Everything here runs under the <see cref="MemoryManager"/>'s lock.</summary>
internal sealed class PrivatePages(MemoryFile memoryFile, PageTable pages)
{
    /// <summary>How many pages are copied at once, and how many a first touch of anonymous memory brings.</summary>
    public const int ChunkPages = 16;

    private const int PageSize = MemoryFile.PageSize;
    private const int MaxSparsePages = 256; // of a large mapping, shown with the host having no memory for them until they are touched
    private const int MaxSequentialPages = 512;

    /// <summary>Gives the mapping a page of its own at this index: a copy of what is there, or zeros.</summary>
    /// <param name="made">Which pages it has now that are not shown yet, this one among them; pages that they replace are to be retired when the space does not show them any more.</param>
    public Errno Make(MemoryMapping mapping, ulong index, out MadePages made)
    {
        made = new MadePages { First = index, End = index };
        int before = pages[index];
        if (before >= 0)
        {
            return memoryFile.IsSole(before) ? Errno.None : CopyShared(mapping, index, ref made);
        }

        return mapping.File is null ? Allocate(mapping, index, ref made) : CopyFile(mapping, mapping.File, index, ref made);
    }

    /// <summary>Gives anonymous memory zero pages where it has none yet, ahead of a touch.</summary>
    /// <returns>Behind the last one; <paramref name="first"/> if there are none.</returns>
    public ulong MakeFresh(MemoryMapping mapping, ulong first, ulong end)
    {
        (_, ulong to) = AbsentAround(first, first, end);
        if (!memoryFile.Allocate((int)(to - first), out int got).TryGet(out int page, out _))
        {
            return first;
        }

        MadePages made = default;
        Put(first, page, got, ref made);
        mapping.NextTouch = made.End;
        return made.End;
    }

    /// <summary>The page of a mapping's own at an index; -1 if it has none.</summary>
    public int PageAt(ulong index) => pages[index];

    /// <summary>How many pages a touch of anonymous memory brings: who touches one after the other soon touches the next, and more of them each time.</summary>
    public static ulong NextChunk(MemoryMapping mapping, ulong index) => index == mapping.NextTouch ? Math.Min(mapping.TouchedPages * 2, MaxSequentialPages) : ChunkPages;

    /// <summary>Gives anonymous memory pages that somebody else has found for it.</summary>
    public void Take(MemoryMapping mapping, ulong first, int page, int count)
    {
        MadePages made = default;
        mapping.TouchedPages = NextChunk(mapping, first);
        Put(first, page, count, ref made);
        mapping.NextTouch = made.End;
    }

    /// <summary>Makes a copy of a private mapping's page as it is now, which nobody has yet.</summary>
    /// <returns>The page; ENOMEM, or the error of the file.</returns>
    public Result<int> CopyPage(MemoryMapping mapping, ulong index)
    {
        int before = pages[index];
        bool isFile = before < 0 && mapping.File is not null;
        if (!memoryFile.Allocate(1, out _, clear: before < 0 && !isFile).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        Span<byte> copy = memoryFile.Bytes(page, 0, PageSize);
        if (before >= 0)
        {
            memoryFile.Bytes(before, 0, PageSize).CopyTo(copy);
        }
        else if (isFile)
        {
            ulong offset = mapping.FileOffset + ((index * PageSize) - mapping.Start);
            errno = mapping.File!.Translate(offset, PageSize, MemoryAccess.Read).TryGet(out MappablePages found, out errno) ? Fill(mapping.File, found, offset, copy) : errno;
            if (errno != Errno.None)
            {
                memoryFile.Release(page);
                return errno;
            }
        }

        return page;
    }

    // The page and its neighbours behind it, as far as they are shared as well.
    private Errno CopyShared(MemoryMapping mapping, ulong index, ref MadePages made)
    {
        ulong end = Math.Min(index + ChunkPages, mapping.End / PageSize);
        ulong to = index + 1;
        while (to < end && pages[to] >= 0 && !memoryFile.IsSole(pages[to]))
        {
            to++;
        }

        if (!memoryFile.Allocate((int)(to - index), out int got, clear: false).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        for (int i = 0; i < got; i++)
        {
            int before = pages[index + (ulong)i];
            memoryFile.Bytes(before, 0, PageSize).CopyTo(memoryFile.Bytes(page + i, 0, PageSize));
            pages.Set(index + (ulong)i, page + i);
            made.Replaced[made.ReplacedCount++] = before;
        }

        made.End = index + (ulong)got;
        return Errno.None;
    }

    // The page and what of the file lies around it.
    private Errno CopyFile(MemoryMapping mapping, IMappable file, ulong index, ref MadePages made)
    {
        ulong block = mapping.IsDataSegment ? mapping.Start / PageSize : index & ~(ulong)(ChunkPages - 1);
        (ulong from, ulong to) = AbsentAround(index, Math.Max(block, mapping.Start / PageSize), Math.Min(block + ChunkPages, mapping.End / PageSize));
        if (!file.CanShowAhead || !file.Translate(OffsetOf(mapping, from), (to - from) * PageSize, MemoryAccess.Read).TryGet(out MappablePages found, out Errno errno) || from + (found.Length / PageSize) <= index)
        {
            from = index;
            if (!file.Translate(OffsetOf(mapping, from), PageSize, MemoryAccess.Read).TryGet(out found, out errno))
            {
                return errno;
            }
        }

        int wanted = (int)Math.Min(found.Length / PageSize, to - from);
        if (!memoryFile.Allocate(wanted, out int got, clear: false).TryGet(out int page, out errno))
        {
            return errno;
        }

        from = Math.Max(from, Math.Min(index, from + (ulong)wanted - (ulong)got)); // fewer pages than wanted: the touched one is among them
        errno = Fill(file, found, OffsetOf(mapping, from), memoryFile.Bytes(page, 0, got * PageSize));
        if (errno != Errno.None)
        {
            memoryFile.Release(page, got);
            return errno;
        }

        Put(from, page, got, ref made);
        return Errno.None;
    }

    // All of the bytes: what the file does not have is zero.
    private Errno Fill(IMappable file, in MappablePages found, ulong offset, Span<byte> destination)
    {
        if (found.File == memoryFile)
        {
            memoryFile.Bytes((int)(found.Offset / PageSize), 0, destination.Length).CopyTo(destination);
            return Errno.None;
        }

        if (!file.ReadAt(offset, destination).TryGet(out int count, out Errno errno))
        {
            return errno;
        }

        destination[count..].Clear();
        return Errno.None;
    }

    private Errno Allocate(MemoryMapping mapping, ulong index, ref MadePages made)
    {
        // Where it is not gone through from below, the host's memory comes with each page's own touch.
        bool isSequential = index == mapping.NextTouch;
        ulong chunk = isSequential ? NextChunk(mapping, index)
            : Math.Clamp(BitOperations.RoundUpToPowerOf2((mapping.Length / 8) + 1) / PageSize, ChunkPages, MaxSparsePages);
        ulong first = isSequential ? index : Math.Max(index & ~(chunk - 1), mapping.Start / PageSize);
        ulong end = Math.Min(isSequential ? index + chunk : (index & ~(chunk - 1)) + chunk, mapping.End / PageSize);
        (ulong from, ulong to) = AbsentAround(index, first, end);
        int wanted = (int)(to - from);
        if (!memoryFile.Allocate(wanted, out int got).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        // Fewer pages than wanted go where the touched one is among them.
        Put(got == wanted ? from : Math.Min(index, to - (ulong)got), page, got, ref made);
        made.IsPopulated = isSequential || got <= ChunkPages;
        mapping.NextTouch = made.End;
        mapping.TouchedPages = isSequential ? chunk : ChunkPages;
        return Errno.None;
    }

    private (ulong From, ulong To) AbsentAround(ulong index, ulong first, ulong end)
    {
        ulong from = index;
        while (from > first && pages[from - 1] < 0)
        {
            from--;
        }

        ulong to = index + 1;
        while (to < end && pages[to] < 0)
        {
            to++;
        }

        return (from, to);
    }

    private void Put(ulong first, int page, int count, ref MadePages made)
    {
        for (int i = 0; i < count; i++)
        {
            pages.Set(first + (ulong)i, page + i);
        }

        made.First = first;
        made.End = first + (ulong)count;
        made.IsPopulated = true;
    }

    private static ulong OffsetOf(MemoryMapping mapping, ulong index) => mapping.FileOffset + ((index * PageSize) - mapping.Start);
}
