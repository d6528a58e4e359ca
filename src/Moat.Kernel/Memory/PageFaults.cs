using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Brings pages into an address space: from zero, from a file, or as a copy of a shared page. Everything here runs under the <see cref="MemoryManager"/>'s lock.</summary>
internal sealed class PageFaults(MemoryFile memoryFile, IAddressSpace space, PageTable pages, PrivatePages own, ShownFilePages shown)
{
    private const int PageSize = MemoryFile.PageSize;
    private const MemoryAccess NoWrite = MemoryAccess.Read | MemoryAccess.Execute;

    private const ulong MaxShownPages = 256; // on each side of the one that is touched
    private const ulong FileChunk = 256 << 10; // of a file, around what is touched

    /// <summary>Serves a fault at an address of the mapping.</summary>
    public FaultOutcome Serve(MemoryMapping mapping, ulong address, MemoryAccess access, bool isPresent)
    {
        if (isPresent && access == MemoryAccess.Unknown)
        {
            access = MemoryAccess.Write;
        }

        // What may be written or executed can be read: the processor knows no other way.
        if ((access & ~MemoryAccess.Read & ~mapping.Access) != 0 || mapping.Access == MemoryAccess.None)
        {
            return FaultOutcome.Forbidden;
        }

        ulong index = address / PageSize;
        bool write = (access & MemoryAccess.Write) != 0;
        if (!isPresent && space.TakeOffer(new GuestAddress(address), access))
        {
            if (mapping.File is not null && pages[index] < 0)
            {
                shown.Add(index, Math.Min(index + PrivatePages.ChunkPages, mapping.End / PageSize)); // the host maps about as much around a touch
            }

            return FaultOutcome.Handled;
        }

        if (mapping.File is null || pages[index] >= 0)
        {
            return write || pages[index] < 0 ? ServePrivate(mapping, index) : ShowPrivate(mapping, index);
        }

        if ((write && !mapping.IsShared) || mapping.IsDataSegment)
        {
            return ServePrivate(mapping, index);
        }

        return ShowFile(mapping, index);
    }

    /// <summary>Brings a whole range in ahead of its use (MAP_POPULATE); what fails is left to a fault.</summary>
    public void Populate(MemoryMapping mapping, ulong start, ulong end)
    {
        bool writable = (mapping.Access & MemoryAccess.Write) != 0;
        for (ulong address = start; address < end;)
        {
            if (Serve(mapping, address, writable && !mapping.IsShared ? MemoryAccess.Write : MemoryAccess.Unknown, isPresent: false) != FaultOutcome.Handled)
            {
                return;
            }

            address += PageSize;
            while (address < end && pages[address / PageSize] >= 0)
            {
                address += PageSize;
            }
        }
    }

    /// <summary>Shows private pages that have just been made, ahead of a touch; what fails is left to a fault.</summary>
    public void ShowFresh(MemoryMapping mapping, ulong from, ulong to) => ShowRun(mapping, from, to, mapping.Access, isPopulated: true);

    /// <summary>Shows anonymous memory, from a page on that has none yet, in pages that the platform has kept there.</summary>
    /// <param name="mapping">The mapping.</param>
    /// <param name="index">The first page.</param>
    /// <param name="end">Behind the last one that will be wanted.</param>
    /// <returns>False if none is kept at that page.</returns>
    public bool TryShowKept(MemoryMapping mapping, ulong index, ulong end)
    {
        if (mapping.File is not null || mapping.Access != (MemoryAccess.Read | MemoryAccess.Write) || pages[index] >= 0)
        {
            return false;
        }

        ulong to = index + 1;
        while (to < end && pages[to] < 0)
        {
            to++;
        }

        int count = space.ShowKept(new GuestAddress(index * PageSize), memoryFile, (int)(to - index), out int page);
        if (count == 0)
        {
            return false;
        }

        own.Take(mapping, index, page, count);
        return true;
    }

    /// <summary>Finds what stands behind a page for the Sentry's own access, bringing it in if need be.</summary>
    public bool TryAcquire(MemoryMapping mapping, ulong address, MemoryAccess access, int maxPages, out AcquiredPage acquired)
    {
        acquired = default;
        ulong index = address / PageSize;
        bool write = (access & MemoryAccess.Write) != 0;
        int page = pages[index];
        if (mapping.File is not null && page < 0 && !(write && !mapping.IsShared))
        {
            ulong offset = mapping.FileOffset + ((index * PageSize) - mapping.Start);
            if (!mapping.File.Translate(offset, mapping.IsShared ? (ulong)maxPages * PageSize : PageSize, write ? MemoryAccess.Write : MemoryAccess.Read).TryGet(out MappablePages found, out _))
            {
                return false;
            }

            if (found.File != memoryFile)
            {
                acquired = new AcquiredPage(-1, 1, mapping.File, offset);
                return true;
            }

            page = (int)(found.Offset / PageSize);
            acquired = new AcquiredPage(page, (int)Math.Min(found.Length, Math.Min((ulong)maxPages * PageSize, mapping.End - (index * PageSize))) / PageSize, null, 0);
            memoryFile.AddPin(page, acquired.Count);
            return true;
        }

        if (page < 0 || (write && !memoryFile.IsSole(page)))
        {
            if (own.Make(mapping, index, out MadePages made) != Errno.None)
            {
                return false;
            }

            if (page >= 0 || mapping.File is not null)
            {
                space.Unmap(new GuestAddress(made.First * PageSize), (made.End - made.First) * PageSize); // they may be shown as they were before the copy
                shown.Remove(made.First, made.End);
            }

            RetireReplaced(made);
            page = pages[index];
        }

        ulong end = Math.Min(index + (ulong)maxPages, mapping.End / PageSize);
        int count = 1;
        while (index + (ulong)count < end && pages[index + (ulong)count] == page + count && (!write || memoryFile.IsSole(page + count)))
        {
            count++;
        }

        memoryFile.AddPin(page, count);
        acquired = new AcquiredPage(page, count, null, 0);
        return true;
    }

    /// <summary>Puts a page of <see cref="PrivatePages.CopyPage"/> in the place of what the mapping has.</summary>
    public void Replace(MemoryMapping mapping, ulong index, int page)
    {
        int before = pages.Set(index, page);
        if (ShowPrivate(mapping, index) != FaultOutcome.Handled)
        {
            space.Unmap(new GuestAddress(index * PageSize), PageSize);
        }

        if (before >= 0)
        {
            space.Retire(memoryFile, before, 1);
        }
    }

    private FaultOutcome ServePrivate(MemoryMapping mapping, ulong index)
    {
        if (TryShowKept(mapping, index, Math.Min(index + PrivatePages.NextChunk(mapping, index), mapping.End / PageSize)))
        {
            return FaultOutcome.Handled;
        }

        if (own.Make(mapping, index, out MadePages made) != Errno.None)
        {
            return FaultOutcome.NoPage;
        }

        if (made.First == made.End)
        {
            return ShowPrivate(mapping, index); // it was there already
        }

        FaultOutcome outcome = ShowRun(mapping, made.First, made.End, mapping.Access, made.IsPopulated);
        RetireReplaced(made);
        return outcome;
    }

    private void RetireReplaced(in MadePages made)
    {
        for (int i = 0; i < made.ReplacedCount; i++)
        {
            space.Retire(memoryFile, made.Replaced[i], 1);
        }
    }

    // Shows the private page and its neighbours in one step, as far as they are neighbours in the memory file too and allow the same.
    private FaultOutcome ShowPrivate(MemoryMapping mapping, ulong index)
    {
        int page = pages[index];
        bool sole = memoryFile.IsSole(page);
        ulong from = index;
        ulong limit = MaxShownPages;
        while (from > mapping.Start / PageSize && index - from < limit && pages[from - 1] == page - (int)(index - from) - 1 && memoryFile.IsSole(pages[from - 1]) == sole)
        {
            from--;
        }

        ulong to = index + 1;
        while (to < mapping.End / PageSize && to - index < limit && pages[to] == page + (int)(to - index) && memoryFile.IsSole(pages[to]) == sole)
        {
            to++;
        }

        return ShowRun(mapping, from, to, sole ? mapping.Access : mapping.Access & NoWrite, isPopulated: to - from <= PrivatePages.ChunkPages);
    }

    // Shows private pages that are neighbours in the memory file as well.
    private FaultOutcome ShowRun(MemoryMapping mapping, ulong from, ulong to, MemoryAccess access, bool isPopulated)
    {
        if (mapping.File is not null)
        {
            shown.Remove(from, to);
        }

        return Show(from * PageSize, (to - from) * PageSize, memoryFile, (ulong)pages[from] * PageSize, access, isPopulated);
    }

    private FaultOutcome ShowFile(MemoryMapping mapping, ulong index)
    {
        ulong address = index * PageSize;
        MemoryAccess access = mapping.IsShared ? mapping.Access : mapping.Access & NoWrite;
        MemoryAccess wanted = mapping.IsShared && (mapping.Access & MemoryAccess.Write) != 0 ? MemoryAccess.Write : MemoryAccess.Read;

        // As much before the touched page as lies in the same chunk and is not private, and as much behind it; of a small mapping all of it.
        bool isSmall = mapping.Length <= FileChunk;
        ulong from = isSmall ? mapping.Start : Math.Max(address & ~(FileChunk - 1), mapping.Start);
        ulong to = isSmall ? mapping.End : Math.Min((address & ~(FileChunk - 1)) + FileChunk, mapping.End);
        ulong start = address;
        while (start > from && pages[(start / PageSize) - 1] < 0)
        {
            start -= PageSize;
        }

        ulong end = address + PageSize;
        while (end < to && pages[end / PageSize] < 0)
        {
            end += PageSize;
        }

        if (!mapping.File!.Translate(mapping.FileOffset + (start - mapping.Start), end - start, wanted).TryGet(out MappablePages found, out _) || start + found.Length <= address)
        {
            start = address;
            if (!mapping.File.Translate(mapping.FileOffset + (start - mapping.Start), end - start, wanted).TryGet(out found, out _))
            {
                return FaultOutcome.NoPage;
            }
        }

        ulong length = Math.Min(found.Length, end - start);
        FaultOutcome outcome = Show(start, length, found.File, found.Offset, access & found.Access, precommit: false);
        if (outcome == FaultOutcome.Handled)
        {
            shown.Add(start / PageSize, (start + length) / PageSize);
        }

        return outcome;
    }

    private FaultOutcome Show(ulong start, ulong length, IMappableFile file, ulong offset, MemoryAccess access, bool precommit) =>
        space.Map(new GuestAddress(start), length, file, offset, access, precommit) == Errno.None ? FaultOutcome.Handled : FaultOutcome.NoPage;
}
