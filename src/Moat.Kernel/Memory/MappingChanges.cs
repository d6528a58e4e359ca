using Moat.Kernel.Ipc;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>The steps that mmap, munmap, mprotect and mremap are made of. Guarded by the lock of the <see cref="MemoryManager"/> whose mappings and pages they change.</summary>
internal sealed class MappingChanges(MemoryManager owner, AddressLayout layout, MappingSet mappings, PageTable pages, ShownFilePages shown)
{
    private const int PageSize = MemoryFile.PageSize;

    private Action<ulong, int>? _addToRun; // AddToRun, made once
    private (ulong Index, int Page, int Count) _run; // pages on their way out, neighbours in the space and in the file
    private bool _mayKeep; // them

    /// <summary>Bytes mapped.</summary>
    public ulong MappedBytes { get; private set; }

    /// <summary>The most that was mapped so far.</summary>
    public ulong PeakMappedBytes { get; private set; }

    /// <summary>The patched call sites of the space; null as long as there are none.</summary>
    public CallSites? CallSites { get; set; }

    /// <summary>The stack mapping that an address lies below, grown to hold it; null if there is none or it may not grow so far.</summary>
    public MemoryMapping? GrowStack(ulong address, ulong stackLimit)
    {
        const ulong Guard = 256 * PageSize;
        int index = mappings.FirstEndingAfter(address);
        if (index == mappings.Count || mappings[index] is not { GrowsDown: true } stack || address >= stack.Start)
        {
            return null;
        }

        ulong start = address & ~(ulong)(PageSize - 1);
        ulong below = index > 0 ? mappings[index - 1].End : layout.MinAddress;
        if (stack.End - start > Math.Min(stackLimit, AddressLayout.MaxStack) || start < below + Guard)
        {
            return null;
        }

        MappedBytes += stack.Start - start;
        CallSites?.MakeRoom(start - Guard, stack.Start); // what is touched next must fault
        stack.Start = start;
        return stack;
    }

    /// <summary>Finds the place for a new mapping, and removes what is there if it is to be replaced.</summary>
    /// <returns>Its address; ENOMEM, EEXIST.</returns>
    public Result<ulong> FindPlace(in MapRequest request)
    {
        ulong start = request.Address;
        if (request.IsFixed)
        {
            if (request.NoReplace && !mappings.IsFree(start, start + request.Length))
            {
                return Errno.EEXIST;
            }

            RemoveRange(start, start + request.Length, tellPlatform: true);
        }
        else if (start == 0 || start < layout.MinAddress || start > layout.MaxAddress - request.Length || !mappings.IsFree(start, start + request.Length))
        {
            ulong top = request.Below4GiB ? Math.Min(layout.MmapTop, 0x8000_0000) : layout.MmapTop;
            start = mappings.FindHoleBelow(top, layout.MinAddress, request.Length);
            if (start == 0 && !request.Below4GiB)
            {
                start = mappings.FindHoleBelow(layout.MaxAddress, layout.MinAddress, request.Length);
            }

            if (start == 0)
            {
                return Errno.ENOMEM;
            }
        }

        return start;
    }

    /// <summary>Adds a mapping into a hole and joins it with its neighbours; the caller has taken its references.</summary>
    public void Insert(MemoryMapping mapping)
    {
        CallSites?.MakeRoom(mapping.Start, mapping.End);
        mappings.Add(mapping);
        MappedBytes += mapping.Length;
        PeakMappedBytes = Math.Max(PeakMappedBytes, MappedBytes);
        JoinAround(mapping);
    }

    /// <summary>Moves the end of a mapping up into the hole behind it.</summary>
    public void Grow(MemoryMapping mapping, ulong end)
    {
        CallSites?.MakeRoom(mapping.End, end);
        MappedBytes += end - mapping.End;
        PeakMappedBytes = Math.Max(PeakMappedBytes, MappedBytes);
        mapping.End = end;
        JoinAround(mapping);
    }

    /// <summary>Makes a mapping one with neighbours that continue it.</summary>
    public void JoinAround(MemoryMapping mapping)
    {
        int index = mappings.FirstEndingAfter(mapping.Start);
        if (index + 1 < mappings.Count && mapping.CanJoin(mappings[index + 1]))
        {
            MemoryMapping next = mappings[index + 1];
            mappings.RemoveAt(index + 1);
            mapping.End = next.End;
            DropReferences(next);
        }

        if (index > 0 && mappings[index - 1].CanJoin(mapping))
        {
            mappings.RemoveAt(index);
            mappings[index - 1].End = mapping.End;
            DropReferences(mapping);
        }
    }

    /// <summary>Cuts a mapping so that one covers exactly the range, which lies in it; returns that one.</summary>
    public MemoryMapping Isolate(MemoryMapping mapping, ulong start, ulong end)
    {
        if (mappings.Split(start) is { } upper)
        {
            AddReferences(upper);
            mapping = upper;
        }

        if (mappings.Split(end) is { } rest)
        {
            AddReferences(rest);
        }

        return mapping;
    }

    /// <summary>Removes whatever is mapped in a range, with its pages.</summary>
    public void RemoveRange(ulong start, ulong end, bool tellPlatform)
    {
        if (end <= start || mappings.IsFree(start, end))
        {
            return;
        }

        if (mappings.Split(start) is { } first)
        {
            AddReferences(first);
        }

        if (mappings.Split(end) is { } last)
        {
            AddReferences(last);
        }

        int index = mappings.FirstEndingAfter(start);
        bool mayKeep = tellPlatform && mappings[index] is var only && only.Start == start && only.End == end && TryConceal(only, start, end);
        if (tellPlatform && !mayKeep)
        {
            Hide(start, end - start);
        }

        bool isFlushed = false;
        while (index < mappings.Count && mappings[index].Start < end)
        {
            MemoryMapping mapping = mappings[index];
            mappings.RemoveAt(index);
            MappedBytes -= mapping.Length;
            CallSites?.Forget(mapping.Start, mapping.End);
            ReleasePages(mapping.Start, mapping.End, mayKeep);
            if (!isFlushed && mapping.File is (MemoryPages { IsPermanent: false } or SharedMemorySegment))
            {
                owner.AddressSpace.Flush(); // the file gives pages back with its last mapping, or later and no longer knows of this space
                isFlushed = true;
            }

            DropReferences(mapping);
        }
    }

    /// <summary>Changes the access of a range; what comes before a hole or a refusal is changed.</summary>
    /// <returns>ENOMEM at a hole, EACCES where the file does not allow it.</returns>
    public Errno Protect(ulong start, ulong end, MemoryAccess access)
    {
        ulong at = start;
        while (at < end)
        {
            MemoryMapping? mapping = mappings.Find(at);
            if (mapping is null)
            {
                return Errno.ENOMEM;
            }

            if ((access & ~mapping.MaxAccess) != 0)
            {
                return Errno.EACCES;
            }

            ulong stop = Math.Min(end, mapping.End);
            if (mapping.Access != access)
            {
                if ((access & MemoryAccess.Write) != 0)
                {
                    CallSites?.Restore(at, stop);
                }

                mapping = Isolate(mapping, at, stop);
                if ((access & ~mapping.Access) == 0 && (access & MemoryAccess.Write) == 0) // writing may be left, but not where it waits for a copy
                {
                    owner.AddressSpace.Protect(new GuestAddress(at), stop - at, access);
                }
                else
                {
                    Hide(at, stop - at);
                }

                mapping.Access = access;
                JoinAround(mapping);
            }

            at = stop;
        }

        return Errno.None;
    }

    /// <summary>Takes a range out of the platform's view; a touch faults it back in.</summary>
    public void Hide(ulong start, ulong length)
    {
        owner.AddressSpace.Unmap(new GuestAddress(start), length);
        shown.Remove(start / PageSize, (start + length) / PageSize);
    }

    /// <summary>Drops the private pages of a part of a mapping: the next touch finds zeros, or the file.</summary>
    public void Discard(MemoryMapping mapping, ulong start, ulong end)
    {
        bool mayKeep = TryConceal(mapping, start, end);
        if (!mayKeep)
        {
            Hide(start, end - start);
        }

        CallSites?.Forget(start, end);
        ReleasePages(start, end, mayKeep);
    }

    /// <summary>Takes the pages of a part of a file out of the platform's view, and where the file ends now (<paramref name="length"/> has no end) the private copies as well.</summary>
    public void HideFilePages(IMappable file, ulong offset, ulong length)
    {
        for (int i = 0; i < mappings.Count; i++)
        {
            MemoryMapping mapping = mappings[i];
            if (mapping.File != file || mapping.FileOffset + mapping.Length <= offset || (length < ulong.MaxValue - offset && mapping.FileOffset >= offset + length))
            {
                continue;
            }

            ulong from = offset > mapping.FileOffset ? mapping.Start + (offset - mapping.FileOffset) : mapping.Start;
            ulong stop = length < ulong.MaxValue - offset && offset + length < mapping.FileOffset + mapping.Length ? mapping.Start + (offset + length - mapping.FileOffset) : mapping.End;
            Hide(from, stop - from);
            if (length == ulong.MaxValue)
            {
                ReleasePages(from, stop); // a truncation takes private copies too
            }
        }
    }

    /// <summary>Gives the private pages of a range back.</summary>
    /// <param name="mayKeep">Whether the platform has concealed the range: it may keep the pages.</param>
    public void ReleasePages(ulong start, ulong end, bool mayKeep = false)
    {
        _mayKeep = mayKeep;
        pages.Remove(start / PageSize, end / PageSize, _addToRun ??= AddToRun);
        ReleaseRun();
    }

    /// <summary>Moves the private pages of a range to another place.</summary>
    public void MovePages(ulong from, ulong length, ulong to)
    {
        if (length == 0)
        {
            return;
        }

        List<(ulong Index, int Page)> moved = [];
        pages.Remove(from / PageSize, (from + length) / PageSize, (index, page) => moved.Add((index, page)));
        foreach ((ulong index, int page) in moved)
        {
            pages.Set(index - (from / PageSize) + (to / PageSize), page);
        }
    }

    // Memory of the application's own is soon wanted again where it was.
    private bool TryConceal(MemoryMapping mapping, ulong start, ulong end) =>
        mapping.File is null && mapping.Access == (MemoryAccess.Read | MemoryAccess.Write) && owner.AddressSpace.Conceal(new GuestAddress(start), end - start);

    private void AddToRun(ulong index, int page)
    {
        if (page == _run.Page + _run.Count && index == _run.Index + (ulong)_run.Count)
        {
            _run.Count++;
            return;
        }

        ReleaseRun();
        _run = (index, page, 1);
    }

    private void ReleaseRun()
    {
        (ulong index, int page, int count) = _run;
        _run = default;
        if (count > 0 && !(_mayKeep && owner.AddressSpace.Keep(new GuestAddress(index * PageSize), owner.MemoryFile, page, count)))
        {
            owner.AddressSpace.Retire(owner.MemoryFile, page, count);
        }
    }

    /// <summary>A mapping exists from now on: its file knows.</summary>
    public void AddReferences(MemoryMapping mapping)
    {
        mapping.Description?.AddReference();
        mapping.File?.AddMapping(owner, mapping.IsSharedWritable);
    }

    /// <summary>A mapping is gone: its file knows.</summary>
    public void DropReferences(MemoryMapping mapping)
    {
        mapping.File?.RemoveMapping(owner, mapping.IsSharedWritable);
        mapping.Description?.Release();
    }
}
