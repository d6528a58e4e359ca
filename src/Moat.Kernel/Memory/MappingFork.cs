using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Gives an empty address space copies of the mappings for a new process (fork(2)). Guarded by the lock of the <see cref="MemoryManager"/> that is copied.</summary>
internal sealed class MappingFork(MemoryManager owner, MappingSet mappings, PageTable pages)
{
    /// <summary>Private pages are shared, and this space may no longer write to them.</summary>
    public void CopyTo(MappingChanges child, PageTable childPages)
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
            bool sharesPages = !mapping.IsShared && !mapping.WipeOnFork && SharePages(mapping, childPages);
            if (sharesPages && (mapping.Access & MemoryAccess.Write) != 0)
            {
                owner.AddressSpace.Protect(new GuestAddress(mapping.Start), mapping.Length, mapping.Access & ~MemoryAccess.Write);
            }
        }
    }

    // Whether there were any.
    private bool SharePages(MemoryMapping mapping, PageTable childPages)
    {
        bool any = false;
        pages.ForEach(mapping.Start / MemoryFile.PageSize, mapping.End / MemoryFile.PageSize, (index, page) =>
        {
            owner.MemoryFile.AddReference(page);
            childPages.Set(index, page);
            any = true;
        });
        return any;
    }
}
