using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>The system calls of an address space that go through trampolines. Everything here runs under the <see cref="MemoryManager"/>'s lock.</summary>
/// <remarks>Code is never changed in place: a changed copy of its page takes its place, so that other threads execute the old code or the new, and processes that share the page keep theirs.
/// Where the application makes code writable or moves it, the original bytes come back first. Trampolines lie in holes between mappings and give way to whatever the application maps there.</remarks>
internal sealed class CallSites(MemoryFile memoryFile, IAddressSpace space, MappingSet mappings, PrivatePages own, PageFaults faults, ICallSitePatcher patcher)
{
    private const int PageSize = MemoryFile.PageSize;
    private const int MaxTrampolinePages = 64;
    private const ulong Distance = 512UL << 20; // from the code, so that the next mappings don't want the place at once

    private readonly List<TrampolinePage> _trampolines = [];
    private readonly Dictionary<ulong, List<PatchedSite>> _sites = []; // by page
    private readonly HashSet<ulong> _refused = [];

    /// <summary>Patches a site, if it can be done.</summary>
    /// <param name="syscall">The address of the <c>syscall</c> instruction.</param>
    /// <param name="number">What the call had in RAX.</param>
    /// <param name="bottom">The lowest address for trampolines.</param>
    /// <returns>Whether it was.</returns>
    public bool Patch(ulong syscall, ulong number, ulong bottom)
    {
        if (_refused.Contains(syscall))
        {
            return false;
        }

        if (_sites.TryGetValue(syscall / PageSize, out List<PatchedSite>? sites) && sites.Exists(site => site.Syscall == syscall))
        {
            return true; // by another thread that trapped there
        }

        bool isPatched = TryPatch(syscall, number, bottom);
        if (!isPatched)
        {
            _refused.Add(syscall);
        }

        return isPatched;
    }

    /// <summary>Shows the page of trampolines at an address, if there is one.</summary>
    public bool TryShow(ulong address) => Find(address) is { } page && Show(page) == Errno.None;

    /// <summary>If an address is in a trampoline or on the way there, changes it to where the application thinks that it is.</summary>
    public void Leave(ref ulong address)
    {
        if (Find(address) is { } page)
        {
            if ((int)((address - page.Address) / (ulong)patcher.TrampolineSize) is var index && index < page.Count)
            {
                bool isAtStart = (int)((address - page.Address) % (ulong)patcher.TrampolineSize) <= patcher.CodeOffset;
                address = isAtStart ? page[index].Start : page[index].Syscall;
            }
        }
        else if (_sites.TryGetValue(address / PageSize, out List<PatchedSite>? sites))
        {
            int offset = (int)(address % PageSize);
            foreach (PatchedSite site in sites)
            {
                address = site.Patch.Island == offset ? site.Start : address;
            }
        }
    }

    /// <summary>Puts the original code back in a range.</summary>
    public void Restore(ulong start, ulong end)
    {
        foreach (ulong index in PatchedIn(start, end))
        {
            Restore(index);
        }
    }

    /// <summary>The pages of a range are gone.</summary>
    public void Forget(ulong start, ulong end)
    {
        foreach (ulong index in PatchedIn(start, end))
        {
            _sites.Remove(index);
        }

        if (_refused.Count > 0)
        {
            _refused.RemoveWhere(syscall => syscall >= start && syscall < end);
        }
    }

    /// <summary>The application maps something: trampolines in the range make room.</summary>
    public void MakeRoom(ulong start, ulong end)
    {
        for (int i = _trampolines.Count - 1; i >= 0; i--)
        {
            TrampolinePage page = _trampolines[i];
            if (page.Address >= end || page.Address + PageSize <= start)
            {
                continue;
            }

            foreach (ulong index in PatchedIn(0, ulong.MaxValue))
            {
                if (_sites[index].Exists(site => site.Trampoline == page.Address))
                {
                    Restore(index);
                }
            }

            _trampolines.RemoveAt(i);
            space.Unmap(new GuestAddress(page.Address), PageSize);
            space.Retire(memoryFile, page.Page, 1);
        }
    }

    /// <summary>The same for a copy of the address space.</summary>
    public void CopyTo(CallSites child)
    {
        foreach (TrampolinePage page in _trampolines)
        {
            memoryFile.AddReference(page.Page);
            child._trampolines.Add(page.Share());
            child.Offer(page);
        }

        foreach ((ulong index, List<PatchedSite> sites) in _sites)
        {
            child._sites.Add(index, [.. sites]);
        }

        child._refused.UnionWith(_refused);
    }

    /// <summary>The address space is gone.</summary>
    public void Clear()
    {
        foreach (TrampolinePage page in _trampolines)
        {
            space.Retire(memoryFile, page.Page, 1);
        }

        _trampolines.Clear();
        _sites.Clear();
    }

    private bool TryPatch(ulong syscall, ulong number, ulong bottom)
    {
        const int SyscallSize = 2;
        ReadOnlySpan<byte> instruction = [0x0f, 0x05];
        int offset = (int)(syscall % PageSize);
        ulong index = syscall / PageSize;
        MemoryMapping? mapping = mappings.Find(syscall);
        if (mapping is null || (mapping.Access & (MemoryAccess.Execute | MemoryAccess.Write)) != MemoryAccess.Execute || mapping.IsShared || offset + SyscallSize > PageSize
            || !own.CopyPage(mapping, index).TryGet(out int copy, out _))
        {
            return false;
        }

        Span<byte> code = memoryFile.Bytes(copy, 0, PageSize);
        if (!code.Slice(offset, SyscallSize).SequenceEqual(instruction) || !patcher.TryFind(code, offset, number, out CallSitePatch patch)
            || FindTrampolinePage(mapping, bottom) is not { } trampolines)
        {
            memoryFile.Release(copy);
            return false;
        }

        byte[] padding = patch.Island >= 0 ? code.Slice(patch.Island, patch.IslandLength).ToArray() : [];
        PatchedSite site = new(syscall, patch, code.Slice(patch.Start, patch.Length).ToArray(), padding, trampolines.Address);
        int at = trampolines.Count * patcher.TrampolineSize;
        patcher.Write(patch, code, index * PageSize, trampolines.Address + (ulong)at, memoryFile.Bytes(trampolines.Page, at, patcher.TrampolineSize));
        trampolines.Add(site);
        if (!_sites.TryGetValue(index, out List<PatchedSite>? sites))
        {
            _sites.Add(index, sites = []);
        }

        sites.Add(site);
        faults.Replace(mapping, index, copy);
        return true;
    }

    private TrampolinePage? FindTrampolinePage(MemoryMapping near, ulong bottom)
    {
        foreach (TrampolinePage page in _trampolines)
        {
            if (!page.IsFull && memoryFile.IsSole(page.Page) && IsInReach(near, page.Address))
            {
                return page;
            }
        }

        ulong place = near.Start > bottom + Distance ? FindPlace(near, near.Start - Distance, bottom) : 0;
        place = place == 0 ? FindPlace(near, near.End + (2 * Distance), bottom) : place;
        if (place == 0 || _trampolines.Count == MaxTrampolinePages || !memoryFile.Allocate(1, out _).TryGet(out int allocated, out _))
        {
            return null;
        }

        TrampolinePage added = new(place, allocated, PageSize / patcher.TrampolineSize);
        if (Show(added) != Errno.None)
        {
            memoryFile.Release(allocated);
            return null;
        }

        _trampolines.Add(added);
        return added;
    }

    // The highest place below an address that neither the application nor other trampolines have; 0 if there is none in reach.
    private ulong FindPlace(MemoryMapping near, ulong top, ulong bottom)
    {
        ulong place = mappings.FindHoleBelow(top, bottom, PageSize);
        while (place != 0 && Find(place) is not null)
        {
            place = mappings.FindHoleBelow(place, bottom, PageSize);
        }

        return IsInReach(near, place) ? place : 0;
    }

    private bool IsInReach(MemoryMapping mapping, ulong address) =>
        address < mapping.Start ? mapping.End - address <= patcher.Reach : address + PageSize - mapping.Start <= patcher.Reach;

    private TrampolinePage? Find(ulong address) => _trampolines.Find(page => address >= page.Address && address < page.Address + PageSize);

    private Errno Show(TrampolinePage page) =>
        space.Map(new GuestAddress(page.Address), PageSize, memoryFile, (ulong)page.Page * PageSize, MemoryAccess.Read | MemoryAccess.Execute, precommit: true);

    private void Offer(TrampolinePage page) =>
        space.Offer(new GuestAddress(page.Address), PageSize, memoryFile, (ulong)page.Page * PageSize, MemoryAccess.Read | MemoryAccess.Execute, precommit: true);

    private void Restore(ulong index)
    {
        List<PatchedSite> sites = _sites[index];
        _sites.Remove(index);
        if (mappings.Find(index * PageSize) is not { } mapping)
        {
            return;
        }

        // Without memory for a copy it has to be in place, which a thread that executes the code right then can see half of. Other spaces that show the page get their own code back as well.
        bool hasCopy = own.CopyPage(mapping, index).TryGet(out int page, out _);
        page = hasCopy ? page : own.PageAt(index);
        for (int i = sites.Count - 1; i >= 0 && page >= 0; i--)
        {
            sites[i].Restore(memoryFile.Bytes(page, 0, PageSize)); // backwards: an island may lie in what another has left of its padding
        }

        if (hasCopy)
        {
            faults.Replace(mapping, index, page);
        }
    }

    private List<ulong> PatchedIn(ulong start, ulong end)
    {
        List<ulong> found = [];
        foreach (ulong index in _sites.Keys)
        {
            if (index >= start / PageSize && index * PageSize < end)
            {
                found.Add(index);
            }
        }

        return found;
    }
}
