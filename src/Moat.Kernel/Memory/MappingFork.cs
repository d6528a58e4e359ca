using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Gives an empty address space copies of the mappings for a new process (fork(2)). Guarded by the lock of the <see cref="MemoryManager"/> that is copied.</summary>
/// <remarks>Pages that are shared cost a protection of the old space and a fault for each side's next touch, which is more than the copy of many pages. So a small process' writable pages are
/// copied at once, and of a large one those of its small mappings (the data of libraries) and the stack's top; the rest is shared.</remarks>
/// <param name="isStill">Whether nobody writes to the pages meanwhile: a copy of a page that another thread writes to could have a later write without an earlier one.</param>
internal sealed class MappingFork(MemoryManager owner, MappingSet mappings, PageTable pages, bool isStill)
{
    private const int PageSize = MemoryFile.PageSize;
    private const int MaxCopied = 96;
    private const ulong StackPagesBelow = 2; // the pointer: what is called next
    private const ulong StackPagesAbove = 4; // what is returned to next

    private int _budget = isStill ? MaxCopied : 0;

    /// <summary>Copies all mappings, and their private pages or references on them.</summary>
    public void CopyTo(MappingChanges child, PageTable childPages, ulong stackPointer)
    {
        for (int i = 0; i < mappings.Count; i++)
        {
            MemoryMapping mapping = mappings[i];
            if (mapping.DontFork)
            {
                continue;
            }

            MemoryMapping copy = mapping.CopyFor(mapping.Start, mapping.End);
            copy.IsLocked = false;
            child.AddReferences(copy);
            child.Insert(copy);
            if (!mapping.IsShared && !mapping.WipeOnFork)
            {
                CopyPages(mapping, childPages, stackPointer);
            }
        }
    }

    private void CopyPages(MemoryMapping mapping, PageTable childPages, ulong stackPointer)
    {
        ulong first = mapping.Start / PageSize;
        ulong end = mapping.End / PageSize;
        bool isWritable = (mapping.Access & MemoryAccess.Write) != 0;
        if (isWritable && stackPointer >= mapping.Start && stackPointer < mapping.End)
        {
            ulong from = Math.Max(first, (stackPointer / PageSize) - StackPagesBelow);
            ulong to = Math.Min(end, (stackPointer / PageSize) + StackPagesAbove);
            Share(mapping, first, from, childPages);
            Copy(mapping, from, to, childPages);
            Share(mapping, to, end, childPages);
        }
        else if (isWritable)
        {
            Copy(mapping, first, end, childPages);
        }
        else
        {
            Share(mapping, first, end, childPages);
        }
    }

    // As much as the budget allows: all of it, or nothing.
    private void Copy(MemoryMapping mapping, ulong first, ulong end, PageTable childPages)
    {
        long count = 0;
        ulong at = first;
        while (count <= _budget && pages.TryFindRun(at, end, out ulong found, out _, out int length))
        {
            count += length;
            at = found + (ulong)length;
        }

        if (count > _budget)
        {
            Share(mapping, first, end, childPages);
            return;
        }

        _budget -= (int)count;
        for (at = first; pages.TryFindRun(at, end, out ulong found, out int page, out int length); at = found + (ulong)length)
        {
            if (!owner.MemoryFile.Allocate(length, out int got, clear: false).TryGet(out int copy, out _))
            {
                Share(mapping, found, end, childPages);
                return;
            }

            length = got;
            owner.MemoryFile.Bytes(page, 0, got * PageSize).CopyTo(owner.MemoryFile.Bytes(copy, 0, got * PageSize));
            for (int i = 0; i < got; i++)
            {
                childPages.Set(found + (ulong)i, copy + i);
            }
        }
    }

    private void Share(MemoryMapping mapping, ulong first, ulong end, PageTable childPages)
    {
        bool isWritable = (mapping.Access & MemoryAccess.Write) != 0;
        ulong at = first;
        while (pages.TryFindRun(at, end, out ulong found, out int page, out int length))
        {
            owner.MemoryFile.AddReference(page, length);
            for (int i = 0; i < length; i++)
            {
                childPages.Set(found + (ulong)i, page + i);
            }

            if (isWritable)
            {
                owner.AddressSpace.Share(
                    new GuestAddress(found * PageSize), (ulong)length * PageSize, owner.MemoryFile, (ulong)page * PageSize, mapping.Access & ~MemoryAccess.Write);
            }

            at = found + (ulong)length;
        }
    }
}
