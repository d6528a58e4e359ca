using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Tells the platform what an application will probably touch, so that one fault brings all of it. Everything here runs under the <see cref="MemoryManager"/>'s lock.</summary>
internal sealed class PageOffers(MemoryFile memoryFile, IAddressSpace space, MappingSet mappings, PageTable pages, PrivatePages own, PageFaults faults)
{
    private const int PageSize = MemoryFile.PageSize;
    private const ulong MaxFileBytes = 16 << 20;
    private const ulong MaxShownFileBytes = 256 << 10;
    private const ulong MaxKeptBytes = 256 << 10; // of new memory that are shown at once if all they need is to be clear
    private const int LoaderPages = 4;
    private const int MaxMappings = 512; // of a space with more, most are not used much
    private const MemoryAccess NoWrite = MemoryAccess.Read | MemoryAccess.Execute;

    /// <summary>Brings in, shows or offers what of a new mapping will be touched.</summary>
    public void BringAhead(MemoryMapping mapping, ulong start, ulong end, in MapRequest request)
    {
        if (request.Populate && mapping.Access != MemoryAccess.None)
        {
            faults.Populate(mapping, start, end);
        }
        else if (mapping.File is { CanShowAhead: true } && !request.IsProgramPart && end - start <= MaxShownFileBytes && (mapping.Access & MemoryAccess.Execute) == 0 && !mapping.IsSharedWritable)
        {
            faults.Serve(mapping, start, MemoryAccess.Read, isPresent: false); // a file that is read through its mapping is read at once; what fails is left to a fault
        }
        else if (mapping.File is not null)
        {
            OfferFile(mapping, start, end);
            if (request.IsProgramPart && !request.IsFixed)
            {
                Prepare(start - (LoaderPages * PageSize), LoaderPages); // what the dynamic loader needs for itself comes right below its libraries
            }
        }
        else if (!request.GrowsDown && !request.IsProgramPart)
        {
            ulong length = Math.Max(end - start, PrivatePages.ChunkPages * PageSize);
            ShowFirst(mapping, start, end, next: start > length ? start - length : 0); // malloc(3) writes to the first page at once
        }
    }

    /// <summary>Shows the first pages of new anonymous memory.</summary>
    /// <param name="mapping">The mapping.</param>
    /// <param name="start">The first address.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="next">Where more of the kind begins, if it is wanted; 0 if that is not known.</param>
    public void ShowFirst(MemoryMapping mapping, ulong start, ulong end, ulong next)
    {
        if (faults.TryShowKept(mapping, start / PageSize, Math.Min(end, start + MaxKeptBytes) / PageSize))
        {
            return;
        }

        ulong stop = MakeFirst(mapping, start, end);
        if (stop > start)
        {
            Prepare(next, PrivatePages.ChunkPages);
            faults.ShowFresh(mapping, start / PageSize, stop / PageSize);
        }
    }

    /// <summary>Offers what a space that shows nothing yet starts with.</summary>
    public void OfferAll()
    {
        for (int i = 0; i < mappings.Count && i < MaxMappings; i++)
        {
            MemoryMapping mapping = mappings[i];
            if (mapping.Access == MemoryAccess.None)
            {
                continue;
            }

            OfferFile(mapping, mapping.Start, mapping.End);
            if (!mapping.IsShared)
            {
                OfferPages(mapping);
            }
        }
    }

    /// <summary>Gives a new program the pages that it writes first: those of its small data segments, and the first ones of anonymous memory. They are to be offered.</summary>
    public void MakeFirstOfAll()
    {
        for (int i = 0; i < mappings.Count; i++)
        {
            MemoryMapping mapping = mappings[i];
            if (mapping.IsDataSegment)
            {
                for (ulong index = mapping.Start / PageSize; index < mapping.End / PageSize && own.Make(mapping, index, out MadePages made) == Errno.None; index = Math.Max(index + 1, made.End))
                {
                }
            }
            else if (!mapping.GrowsDown)
            {
                MakeFirst(mapping, mapping.Start, mapping.End);
            }
        }
    }

    /// <summary>Has zero pages ready in a hole where the application will probably map memory next: it comes without an order to another thread then.</summary>
    public void Prepare(ulong start, int count)
    {
        if (start >= MemoryFile.PageSize && mappings.IsFree(start, start + ((ulong)count * PageSize)) && memoryFile.Allocate(count, out int got).TryGet(out int page, out _)
            && !space.Prepare(new GuestAddress(start), memoryFile, page, got))
        {
            memoryFile.Release(page, got);
        }
    }

    private void OfferFile(MemoryMapping mapping, ulong start, ulong end)
    {
        MemoryAccess access = mapping.IsShared ? mapping.Access : mapping.Access & NoWrite;
        if (mapping.File is not { CanShowAhead: true } file || access == MemoryAccess.None || (mapping.Access & MemoryAccess.Write) != 0 || end - start > MaxFileBytes
            || mappings.Count > MaxMappings || !file.Translate(mapping.FileOffset + (start - mapping.Start), end - start, MemoryAccess.Read).TryGet(out MappablePages found, out _))
        {
            return;
        }

        space.Offer(new GuestAddress(start), Math.Min(found.Length, end - start), found.File, found.Offset, access & found.Access, precommit: false);
    }

    // Gives a part of anonymous memory its first pages; returns the address behind them.
    private ulong MakeFirst(MemoryMapping mapping, ulong start, ulong end)
    {
        ulong stop = Math.Min(end, start + (PrivatePages.ChunkPages * PageSize));
        if (mapping.File is not null || (mapping.Access & MemoryAccess.Write) == 0 || pages[start / PageSize] >= 0)
        {
            return start;
        }

        return own.MakeFresh(mapping, start / PageSize, stop / PageSize) * PageSize;
    }

    private void OfferPages(MemoryMapping mapping)
    {
        for (ulong at = mapping.Start / PageSize; pages.TryFindRun(at, mapping.End / PageSize, out ulong first, out int page, out int length); at = first + (ulong)length)
        {
            bool isSole = memoryFile.IsSole(page);
            int same = 1;
            while (same < length && memoryFile.IsSole(page + same) == isSole)
            {
                same++;
            }

            length = same;
            space.Offer(new GuestAddress(first * PageSize), (ulong)length * PageSize, memoryFile, (ulong)page * PageSize, isSole ? mapping.Access : mapping.Access & NoWrite, precommit: true);
        }
    }
}
