using Moat.Collections;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>An application's address space as the kernel knows it: mappings, private pages, and what of them has been shown to the platform. Any thread.</summary>
/// <remarks>The platform's view obeys one rule: what is mapped there permits what the mapping permits, less writing where the page is shared (copy-on-write) or a file's own.
/// A fault on something mapped is therefore a write to such a page, or forbidden.</remarks>
public sealed class MemoryManager
{
    private const int PageSize = MemoryFile.PageSize;

    private readonly Lock _lock = new();
    private readonly MappingSet _mappings = new(); // guarded by _lock
    private readonly PageTable _pages = new(); // guarded by _lock
    private readonly ShownFilePages _shown = new(); // guarded by _lock
    private readonly PrivatePages _own;
    private readonly PageFaults _faults;
    private readonly PageOffers _offers;
    private readonly MappingChanges _changes;
    private readonly MappingMoves _moves;
    private readonly AddressLayout _layout;
    private readonly ICallSitePatcher? _patcher;
    private UserCount _users = new(1);
    private int _inspectors; // how many of its tasks are traced
    private ulong _peakResidentBytes;

    /// <summary>An empty address space.</summary>
    public MemoryManager(MemoryFile memoryFile, IAddressSpace space, AddressLayout layout, ICallSitePatcher? patcher)
    {
        _patcher = patcher;
        MemoryFile = memoryFile;
        _layout = layout;
        AddressSpace = space;
        _own = new PrivatePages(memoryFile, _pages);
        _faults = new PageFaults(memoryFile, space, _pages, _own, _shown);
        _offers = new PageOffers(memoryFile, space, _mappings, _pages, _own, _faults);
        _changes = new MappingChanges(this, layout, _mappings, _pages, _shown);
        _moves = new MappingMoves(layout, _mappings, _changes);
    }

    /// <summary>Where its private pages live.</summary>
    internal MemoryFile MemoryFile { get; }

    /// <summary>The platform's side.</summary>
    public IAddressSpace AddressSpace { get; }

    /// <summary>Facts for /proc: where the program, its arguments and its heap are.</summary>
    public ProgramLayout Program { get; set; } = new();

    /// <summary>The executable, for /proc/PID/exe; the address space holds a reference on it and keeps writers away.</summary>
    public FileDescription? ExecutableFile { get; set; }

    /// <summary>Bytes mapped.</summary>
    public ulong MappedBytes => _changes.MappedBytes;

    /// <summary>Bytes of private pages, and of pages of files that have been touched.</summary>
    public ulong ResidentBytes => (ulong)(_pages.Count + _shown.Count) * PageSize;

    /// <summary>The most that was mapped so far.</summary>
    public ulong PeakMappedBytes => _changes.PeakMappedBytes;

    /// <summary>The most that was resident so far, as faults and munmap(2) found it.</summary>
    public ulong PeakResidentBytes => Math.Max(_peakResidentBytes, ResidentBytes);

    /// <summary>A task of it makes another one that shares it (CLONE_VM): there will be a place for that one.</summary>
    /// <returns>EAGAIN or ENOMEM when the host refuses another thread; nobody is added then.</returns>
    public Errno AddTask()
    {
        _users.Add();
        Errno errno = AddressSpace.Reserve(in _users.Number);
        if (errno != Errno.None)
        {
            RemoveUser();
        }

        return errno;
    }

    /// <summary>Somebody who is none of its tasks uses it for a while; false if the last task has left it.</summary>
    public bool TryAddUser() => _users.TryAdd();

    /// <summary>A task stops using it; the last one frees everything.</summary>
    public void RemoveUser()
    {
        if (!_users.RemoveLast())
        {
            return;
        }

        AddressSpace.Dispose();
        lock (_lock)
        {
            _changes.RemoveRange(0, _layout.MaxAddress, tellPlatform: false);
            _changes.CallSites?.Clear();
        }

        ExecutableFile?.Inode.AllowWriters();
        ExecutableFile?.Release();
        ExecutableFile = null;
    }

    /// <summary>Serves a page fault of the application.</summary>
    /// <param name="address">What was touched.</param>
    /// <param name="access">What was tried, or Unknown.</param>
    /// <param name="isPresent">Whether the platform has the page mapped and refused the access (SEGV_ACCERR).</param>
    /// <param name="stackLimit">RLIMIT_STACK.</param>
    public FaultOutcome HandleFault(GuestAddress address, MemoryAccess access, bool isPresent, ulong stackLimit)
    {
        lock (_lock)
        {
            MemoryMapping? mapping = _mappings.Find(address.Value) ?? _changes.GrowStack(address.Value, stackLimit);
            FaultOutcome outcome = mapping is not null ? _faults.Serve(mapping, address.Value, access, isPresent)
                : _changes.CallSites?.TryShow(address.Value) == true ? FaultOutcome.Handled : FaultOutcome.NotMapped;
            _peakResidentBytes = PeakResidentBytes;
            return outcome;
        }
    }

    /// <summary>A <c>syscall</c> instruction has made many calls: from now on they go through a trampoline, if that can be done.</summary>
    /// <param name="syscall">Its address.</param>
    /// <param name="number">The number of its last call.</param>
    /// <returns>Whether they do.</returns>
    internal bool PatchCallSite(ulong syscall, ulong number)
    {
        if (_patcher is null)
        {
            return false;
        }

        lock (_lock)
        {
            if (Volatile.Read(ref _inspectors) > 0)
            {
                return false;
            }

            _changes.CallSites ??= new CallSites(MemoryFile, AddressSpace, _mappings, _own, _faults, _patcher);
            return _changes.CallSites.Patch(syscall, number, _layout.MinAddress);
        }
    }

    /// <summary>If an instruction pointer is in a trampoline, changes it to where the application thinks that it is.</summary>
    internal void LeaveTrampoline(ref ulong instructionPointer)
    {
        if (_changes.CallSites is null)
        {
            return;
        }

        lock (_lock)
        {
            _changes.CallSites.Leave(ref instructionPointer);
        }
    }

    /// <summary>One of its tasks is traced from now on: no more code is patched until <see cref="RemoveInspector"/>. What has been comes back with <see cref="ShowOriginalCode"/>.</summary>
    internal void AddInspector() => Interlocked.Increment(ref _inspectors);

    /// <summary>A task that was traced is not, or lives somewhere else.</summary>
    internal void RemoveInspector() => Interlocked.Decrement(ref _inspectors);

    /// <summary>Puts back all code that has been patched.</summary>
    internal void ShowOriginalCode()
    {
        lock (_lock)
        {
            _changes.CallSites?.Restore(0, ulong.MaxValue);
        }
    }

    /// <summary>What lies at an address, for the debug log.</summary>
    public string Describe(GuestAddress address)
    {
        lock (_lock)
        {
            return _mappings.Find(address.Value) is { } mapping ? $"{mapping.Start:x}-{mapping.End:x} {mapping.Access}" : "no mapping";
        }
    }

    /// <summary>mmap(2), arguments checked: makes a mapping.</summary>
    /// <param name="request">What and where.</param>
    /// <returns>Its address; ENOMEM, EEXIST.</returns>
    public Result<GuestAddress> Map(in MapRequest request)
    {
        lock (_lock)
        {
            if (_mappings.Count >= AddressLayout.MaxMappings || MappedBytes + request.Length > request.AddressSpaceLimit)
            {
                return Errno.ENOMEM;
            }

            if (!_changes.FindPlace(request).TryGet(out ulong start, out Errno errno))
            {
                return errno;
            }

            MemoryMapping mapping = new()
            {
                Start = start,
                End = start + request.Length,
                Access = request.Access,
                MaxAccess = request.MaxAccess,
                IsShared = request.IsShared,
                GrowsDown = request.GrowsDown,
                File = request.File,
                FileOffset = request.FileOffset,
                Description = request.Description,
                Name = request.Name,
            };
            _changes.AddReferences(mapping);
            _changes.Insert(mapping);
            _offers.BringAhead(_mappings.Find(start)!, start, start + request.Length, request);
            return new GuestAddress(start);
        }
    }

    /// <summary>munmap(2) of a page-aligned range.</summary>
    public Errno Unmap(ulong start, ulong length)
    {
        lock (_lock)
        {
            if (_mappings.Count >= AddressLayout.MaxMappings && _mappings.Find(start) is { } cut && cut.Start < start && cut.End > start + length)
            {
                return Errno.ENOMEM;
            }

            _peakResidentBytes = PeakResidentBytes;
            _changes.RemoveRange(start, start + length, tellPlatform: true);
            return Errno.None;
        }
    }

    /// <summary>mprotect(2) of a page-aligned range: what comes before a hole or a refusal is changed, as in Linux.</summary>
    /// <returns>ENOMEM at a hole, EACCES where the file does not allow it.</returns>
    public Errno Protect(ulong start, ulong length, MemoryAccess access)
    {
        lock (_lock)
        {
            return _changes.Protect(start, start + length, access);
        }
    }

    /// <summary>brk(2): moves the end of the heap; returns where it is then, unmoved if that can't be.</summary>
    public ulong SetBreak(ulong wanted, ulong dataLimit)
    {
        lock (_lock)
        {
            ulong start = Program.BreakStart;
            ulong current = Program.Break;
            ulong oldEnd = AddressLayout.RoundUp(current);
            ulong newEnd = AddressLayout.RoundUp(wanted);
            if (wanted < start || newEnd > _layout.MaxAddress || wanted - start > dataLimit)
            {
                return current;
            }

            if (newEnd > oldEnd)
            {
                if (!_mappings.IsFree(oldEnd, newEnd))
                {
                    return current;
                }

                _changes.Insert(new MemoryMapping { Start = oldEnd, End = newEnd, Access = MemoryAccess.Read | MemoryAccess.Write, Name = "[heap]" });
                _offers.ShowFirst(_mappings.Find(oldEnd)!, oldEnd, newEnd, next: newEnd);
            }
            else if (newEnd < oldEnd)
            {
                _changes.RemoveRange(newEnd, oldEnd, tellPlatform: true);
            }

            Program.Break = wanted;
            return wanted;
        }
    }

    /// <summary>Applies <paramref name="change"/> to every mapping in the range, cut to it; holes are passed over and reported.</summary>
    /// <returns>ENOMEM if there was a hole.</returns>
    internal Errno ForRange(ulong start, ulong length, Func<MemoryMapping, ulong, ulong, Errno> change)
    {
        lock (_lock)
        {
            ulong end = start + length;
            bool hole = false;
            for (ulong at = start; at < end;)
            {
                int index = _mappings.FirstEndingAfter(at);
                if (index == _mappings.Count || _mappings[index].Start >= end)
                {
                    hole = true;
                    break;
                }

                MemoryMapping mapping = _mappings[index];
                hole |= mapping.Start > at;
                ulong from = Math.Max(at, mapping.Start);
                ulong stop = Math.Min(end, mapping.End);
                Errno errno = change(mapping, from, stop);
                if (errno != Errno.None)
                {
                    return errno;
                }

                at = stop;
            }

            return hole ? Errno.ENOMEM : Errno.None;
        }
    }

    /// <summary>Drops the private pages of a range (MADV_DONTNEED): the next touch finds zeros, or the file.</summary>
    public Errno DiscardPages(ulong start, ulong length) => ForRange(start, length, (mapping, from, stop) =>
    {
        if (mapping.IsLocked)
        {
            return Errno.EINVAL;
        }

        _changes.Discard(mapping, from, stop);
        return Errno.None;
    });

    /// <summary>Changes a property of all mappings in a range.</summary>
    public Errno SetProperty(ulong start, ulong length, Action<MemoryMapping> set) => ForRange(start, length, (mapping, from, stop) =>
    {
        set(_changes.Isolate(mapping, from, stop));
        return Errno.None;
    });

    /// <summary>mincore(2): a byte for each page, 1 where it is in memory. Pages of files count as there.</summary>
    /// <returns>ENOMEM at a hole.</returns>
    public Errno GetResidency(ulong start, byte[] pages) => ForRange(start, (ulong)pages.Length * PageSize, (mapping, from, stop) =>
    {
        for (ulong at = from; at < stop; at += PageSize)
        {
            pages[(at - start) / PageSize] = mapping.File is not null || _pages[at / PageSize] >= 0 ? (byte)1 : (byte)0;
        }

        return Errno.None;
    });

    /// <summary>mremap(2) of one mapping, arguments checked.</summary>
    /// <param name="start">Where it is.</param>
    /// <param name="oldLength">Its length, a multiple of the page size; 0 makes another mapping of a shared one.</param>
    /// <param name="newLength">The wanted length.</param>
    /// <param name="mayMove">MREMAP_MAYMOVE.</param>
    /// <param name="target">MREMAP_FIXED's address, or null.</param>
    /// <param name="keepOld">MREMAP_DONTUNMAP.</param>
    public Result<GuestAddress> Remap(ulong start, ulong oldLength, ulong newLength, bool mayMove, ulong? target, bool keepOld)
    {
        lock (_lock)
        {
            return _moves.Remap(start, oldLength, newLength, mayMove, target, keepOld);
        }
    }

    /// <summary>A copy for a new process: private pages are shared until somebody writes, but for those that are written next for sure.</summary>
    /// <param name="space">The platform's side of it.</param>
    /// <param name="registers">Where the new process goes on.</param>
    public MemoryManager Fork(IAddressSpace space, in RegisterSet registers)
    {
        lock (_lock)
        {
            MemoryManager child = new(MemoryFile, space, _layout, _patcher) { Program = Program.Clone(), ExecutableFile = ExecutableFile };
            ExecutableFile?.AddReference();
            ExecutableFile?.Inode.TryDenyWriters(); // as this one denies them, it can't fail
            new MappingFork(this, _mappings, _pages, isStill: _users.IsOne).CopyTo(child._changes, child._pages, registers.Rsp);
            if (_changes.CallSites is not null)
            {
                child._changes.CallSites = new CallSites(MemoryFile, space, child._mappings, child._own, child._faults, _patcher!);
                _changes.CallSites.CopyTo(child._changes.CallSites);
            }

            child._offers.OfferAll();
            space.TakeOffer(new GuestAddress(registers.Rip), MemoryAccess.Execute);
            space.Begin();
            return child;
        }
    }

    /// <summary>A program has been loaded, nothing of which is shown yet: what it starts with comes before it runs.</summary>
    internal void BringProgram(GuestAddress entry)
    {
        lock (_lock)
        {
            _offers.MakeFirstOfAll();
            _offers.OfferAll();
            _offers.Prepare(Program.BreakStart, PrivatePages.ChunkPages + 1); // the C library asks for a page, and malloc(3) for many
            _offers.Prepare(_mappings.FindHoleBelow(_layout.MmapTop, _layout.MinAddress, PrivatePages.ChunkPages * PageSize), PrivatePages.ChunkPages);
            AddressSpace.TakeOffer(entry, MemoryAccess.Execute);
            AddressSpace.Begin();
        }
    }

    /// <summary>Whether the address is in a shared mapping, and of what: part of a futex's identity.</summary>
    public bool TryGetSharedIdentity(GuestAddress address, out IMappable? file, out ulong offset)
    {
        lock (_lock)
        {
            MemoryMapping? mapping = _mappings.Find(address.Value);
            file = mapping is { IsShared: true } ? mapping.File : null;
            offset = file is null ? 0 : mapping!.FileOffset + (address.Value - mapping.Start);
            return file is not null;
        }
    }

    /// <summary>Forgets pages of a mapped file that went away (truncate, hole punch): the next touch asks the file again.</summary>
    public void InvalidateFilePages(IMappable file, ulong offset, ulong length)
    {
        lock (_lock)
        {
            _changes.HideFilePages(file, offset, length);
            AddressSpace.Flush(); // the file gives its pages back itself
        }
    }

    /// <summary>The mappings in order, for /proc/PID/maps.</summary>
    public IReadOnlyList<MappingSnapshot> ListMappings()
    {
        lock (_lock)
        {
            List<MappingSnapshot> list = new(_mappings.Count);
            for (int i = 0; i < _mappings.Count; i++)
            {
                list.Add(MappingSnapshot.Of(_mappings[i], _pages, _shown, MemoryFile));
            }

            return list;
        }
    }

    /// <summary>Pages for the Sentry: pages of the memory file, pinned, or a file to be read or written instead. <see cref="UserCopy"/> is what callers want.</summary>
    /// <param name="address">Where they are.</param>
    /// <param name="access">Read or Write.</param>
    /// <param name="maxPages">How many are useful; at least one comes.</param>
    /// <param name="page">The pages.</param>
    /// <param name="isForced">Whether a debugger asks, which reads what the application itself may not and writes to pages that are nobody else's (a breakpoint in code).</param>
    internal bool TryAcquire(ulong address, MemoryAccess access, int maxPages, out AcquiredPage page, bool isForced = false)
    {
        lock (_lock)
        {
            page = default;
            if (address >= _layout.MaxAddress)
            {
                return false;
            }

            MemoryMapping? mapping = _mappings.Find(address) ?? _changes.GrowStack(address, ulong.MaxValue);
            return mapping is not null
                && ((mapping.Access & access) != 0 || (isForced && (access == MemoryAccess.Write ? !mapping.IsShared : (mapping.MaxAccess & access) != 0)))
                && _faults.TryAcquire(mapping, address, access, maxPages, out page);
        }
    }
}
