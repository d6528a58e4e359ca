using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Brings pages into an address space: from zero, from a file, or as a copy of a shared page. Everything here runs under the <see cref="MemoryManager"/>'s lock.</summary>
internal sealed class PageFaults(MemoryFile memoryFile, IAddressSpace space, PageTable pages, ShownFilePages shown)
{
    private const int PageSize = MemoryFile.PageSize;
    private const MemoryAccess NoWrite = MemoryAccess.Read | MemoryAccess.Execute;

    // How much a fault brings: anonymous memory by an eighth of its mapping within these bounds, file pages around the one that is touched.
    private const ulong MinChunk = 64 << 10;
    private const ulong MaxChunk = 1 << 20;
    private const ulong FileChunk = 256 << 10;

    /// <summary>Serves a fault at an address of the mapping.</summary>
    public FaultOutcome Serve(MemoryMapping mapping, ulong address, MemoryAccess access, bool isPresent)
    {
        if (isPresent && access == MemoryAccess.Unknown)
        {
            access = MemoryAccess.Write;
        }

        if ((access & ~mapping.Access) != 0 || mapping.Access == MemoryAccess.None)
        {
            return FaultOutcome.Forbidden;
        }

        ulong index = address / PageSize;
        bool write = (access & MemoryAccess.Write) != 0;
        if (mapping.File is null || pages[index] >= 0)
        {
            return write || pages[index] < 0 ? ServePrivate(mapping, index) : ShowPrivate(mapping, index);
        }

        if (write && !mapping.IsShared)
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

    /// <summary>Finds what stands behind a page for the Sentry's own access, bringing it in if need be.</summary>
    public bool TryAcquire(MemoryMapping mapping, ulong address, MemoryAccess access, out AcquiredPage acquired)
    {
        acquired = default;
        ulong index = address / PageSize;
        bool write = (access & MemoryAccess.Write) != 0;
        int page = pages[index];
        if (mapping.File is not null && page < 0 && !(write && !mapping.IsShared))
        {
            ulong offset = mapping.FileOffset + ((index * PageSize) - mapping.Start);
            if (!mapping.File.Translate(offset, PageSize, write ? MemoryAccess.Write : MemoryAccess.Read).TryGet(out MappablePages found, out _))
            {
                return false;
            }

            if (found.File != memoryFile)
            {
                acquired = new AcquiredPage(-1, mapping.File, offset);
                return true;
            }

            page = (int)(found.Offset / PageSize);
            memoryFile.AddPin(page);
            acquired = new AcquiredPage(page, null, 0);
            return true;
        }

        if (page < 0 || (write && !memoryFile.IsSole(page)))
        {
            if (MakePrivate(mapping, index, out int replaced) != Errno.None)
            {
                return false;
            }

            if (page >= 0 || mapping.File is not null)
            {
                space.Unmap(new GuestAddress(index * PageSize), PageSize); // it may be shown as it was before the copy
                shown.Remove(index, index + 1);
            }

            Retire(replaced);

            page = pages[index];
        }

        memoryFile.AddPin(page);
        acquired = new AcquiredPage(page, null, 0);
        return true;
    }

    /// <summary>Makes a copy of a private mapping's page as it is now, which nobody has yet.</summary>
    /// <returns>The page; ENOMEM, or the error of the file.</returns>
    public Result<int> CopyPage(MemoryMapping mapping, ulong index)
    {
        if (!memoryFile.Allocate(1, out _).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        Span<byte> copy = memoryFile.Bytes(page, 0, PageSize);
        if (pages[index] is >= 0 and int before)
        {
            memoryFile.Bytes(before, 0, PageSize).CopyTo(copy);
        }
        else if (mapping.File is not null)
        {
            errno = CopyFilePage(mapping.File, mapping.FileOffset + ((index * PageSize) - mapping.Start), copy);
            if (errno != Errno.None)
            {
                memoryFile.Release(page);
                return errno;
            }
        }

        return page;
    }

    /// <summary>Puts a page of <see cref="CopyPage"/> in the place of what the mapping has.</summary>
    public void Replace(MemoryMapping mapping, ulong index, int page)
    {
        int before = pages.Set(index, page);
        if (ShowPrivate(mapping, index) != FaultOutcome.Handled)
        {
            space.Unmap(new GuestAddress(index * PageSize), PageSize);
        }

        Retire(before);
    }

    private FaultOutcome ServePrivate(MemoryMapping mapping, ulong index)
    {
        if (MakePrivate(mapping, index, out int replaced) != Errno.None)
        {
            return FaultOutcome.NoPage;
        }

        FaultOutcome outcome = ShowPrivate(mapping, index);
        Retire(replaced);
        return outcome;
    }

    private void Retire(int page)
    {
        if (page >= 0)
        {
            space.Retire(memoryFile, page, 1);
        }
    }

    // Gives the mapping a page of its own at this index: a copy of what is there, or zeros (and then its neighbours as well). A page that it replaces is to be retired
    // when the space does not show it any more.
    private Errno MakePrivate(MemoryMapping mapping, ulong index, out int replaced)
    {
        replaced = -1;
        int before = pages[index];
        if (before >= 0 && memoryFile.IsSole(before))
        {
            return Errno.None;
        }

        if (before < 0 && mapping.File is null)
        {
            return AllocateAround(mapping, index);
        }

        if (!CopyPage(mapping, index).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        replaced = before;
        pages.Set(index, page);
        return Errno.None;
    }

    private Errno CopyFilePage(IMappable file, ulong offset, Span<byte> copy)
    {
        if (!file.Translate(offset, PageSize, MemoryAccess.Read).TryGet(out MappablePages found, out Errno errno))
        {
            return errno;
        }

        if (found.File == memoryFile)
        {
            memoryFile.Bytes((int)(found.Offset / PageSize), 0, PageSize).CopyTo(copy);
            return Errno.None;
        }

        return file.ReadAt(offset, copy).Errno;
    }

    private Errno AllocateAround(MemoryMapping mapping, ulong index)
    {
        ulong chunk = Math.Clamp(ulong.Max(1, System.Numerics.BitOperations.RoundUpToPowerOf2((mapping.Length / 8) + 1)), MinChunk, MaxChunk) / PageSize;
        ulong first = Math.Max(index & ~(chunk - 1), mapping.Start / PageSize);
        ulong end = Math.Min((index & ~(chunk - 1)) + chunk, mapping.End / PageSize);
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

        int wanted = (int)(to - from);
        if (!memoryFile.Allocate(wanted, out int got).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        // Fewer pages than wanted go where the touched one is among them.
        ulong start = got == wanted ? from : Math.Min(index, to - (ulong)got);
        for (int i = 0; i < got; i++)
        {
            pages.Set(start + (ulong)i, page + i);
        }

        return Errno.None;
    }

    // Shows the private page and its neighbours in one step, as far as they are neighbours in the memory file too and allow the same.
    private FaultOutcome ShowPrivate(MemoryMapping mapping, ulong index)
    {
        int page = pages[index];
        bool sole = memoryFile.IsSole(page);
        ulong from = index;
        ulong limit = MaxChunk / PageSize;
        while (from > mapping.Start / PageSize && index - from < limit && pages[from - 1] == page - (int)(index - from) - 1 && memoryFile.IsSole(pages[from - 1]) == sole)
        {
            from--;
        }

        ulong to = index + 1;
        while (to < mapping.End / PageSize && to - index < limit && pages[to] == page + (int)(to - index) && memoryFile.IsSole(pages[to]) == sole)
        {
            to++;
        }

        ulong offset = (ulong)(page - (int)(index - from)) * PageSize;
        MemoryAccess access = sole ? mapping.Access : mapping.Access & NoWrite;
        shown.Remove(from, to);
        return Show(from * PageSize, (to - from) * PageSize, memoryFile, offset, access, precommit: to - from <= MinChunk / PageSize);
    }

    private FaultOutcome ShowFile(MemoryMapping mapping, ulong index)
    {
        ulong address = index * PageSize;
        MemoryAccess access = mapping.IsShared ? mapping.Access : mapping.Access & NoWrite;
        MemoryAccess wanted = mapping.IsShared && (mapping.Access & MemoryAccess.Write) != 0 ? MemoryAccess.Write : MemoryAccess.Read;

        // As much before the touched page as lies in the same chunk and is not private, and as much behind it.
        ulong from = Math.Max(address & ~(FileChunk - 1), mapping.Start);
        ulong to = Math.Min((address & ~(FileChunk - 1)) + FileChunk, mapping.End);
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
