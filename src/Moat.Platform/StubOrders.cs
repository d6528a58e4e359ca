using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>Changes to a stub's address space as a list of host calls that its code makes in one go, in order. The caller locks.</summary>
/// <param name="leavesBelow">Below which address calls can be left to threads of the application, and what they take away can be kept; 0 if there is nobody to leave them to. Then what may not be
/// written is mapped as a private copy in the making: whatever else such a thread does with it, it does to itself.</param>
public sealed class StubOrders(ulong leavesBelow = 0)
{
    /// <summary>Bytes of an order: the number of the call and six arguments.</summary>
    public const int OrderSize = 7 * sizeof(ulong);

    /// <summary>How many calls can be left at once.</summary>
    public const int MaxLeft = LeftCalls.MaxAtOnce;

    private const int WordsPerOrder = OrderSize / sizeof(ulong);
    private const ulong MaxPopulated = 1 << 20;
    private const int MaxPrepared = 4;
    private const int ReadWrite = HostMemory.ProtRead | HostMemory.ProtWrite;

    private readonly ShownRanges _shown = new();
    private readonly ShownRanges _writable = new(); // mapped so that what is written there is written to the file
    private readonly OfferedRanges _offers = new();
    private readonly KeptRuns _kept = new();
    private readonly List<KeptRun> _prepared = []; // that have yet to be mapped
    private readonly List<KeptRun> _dropped = [];
    private readonly LeftCalls _left = new();
    private (ulong Start, ulong End) _concealed; // by the last order, nothing of it kept yet
    private ulong _own; // bits of the orders that concern nobody but the application
    private int _asker; // the thread of the Sentry that ordered the last of these
    private ulong[] _words = new ulong[16 * WordsPerOrder];

    /// <summary>How many orders wait.</summary>
    public int Count { get; private set; }

    /// <summary>Whether all orders concern nobody but the application.</summary>
    public bool AreOwn => Count < sizeof(ulong) * 8 && _own == (1UL << Count) - 1;

    /// <summary>Whether all orders concern nobody but the application, of which another task than that of this thread of the Sentry asked for them.</summary>
    public bool AreAnothers => Count > 0 && AreOwn && _asker != Environment.CurrentManagedThreadId;

    /// <summary>Whether calls have been left to the application since they were last proven.</summary>
    public bool HasLeft => _left.Count > 0;

    /// <summary>mmap(2) of a part of a file.</summary>
    public void Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        ulong end = address.Value + length;
        bool isPrivate = leavesBelow > 0 && (access & MemoryAccess.Write) == 0;
        int flags = (isPrivate ? HostMemory.MapPrivate : HostMemory.MapShared) | HostMemory.MapFixed | (precommit ? HostMemory.MapPopulate : 0);
        _concealed = default;
        _offers.Cut(address.Value, end);
        DropKept(address.Value, end);
        _shown.Add(address.Value, end);
        if (isPrivate)
        {
            _writable.Remove(address.Value, end);
        }
        else if (leavesBelow > 0)
        {
            _writable.Add(address.Value, end);
        }

        Add(SyscallNumber.mmap, address.Value, length, (ulong)ProtectionOf(access), (ulong)flags, (ulong)file.HostFd, fileOffset);
    }

    /// <summary>mmap(2) of a part of a file into a hole, with the next orders or when it is taken.</summary>
    public void Offer(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        DropPrepared(address.Value, address.Value + length);
        _offers.Add(new Offered(address.Value, address.Value + length, file, fileOffset, access, precommit));
    }

    /// <summary>Turns the offers into orders if there is one for an access; false if there is none.</summary>
    public bool TakeOffer(GuestAddress address, MemoryAccess access)
    {
        if (!_offers.Contains(address.Value, access))
        {
            return false;
        }

        AddOffers();
        return true;
    }

    /// <summary>Turns the offers into orders, and what is to be prepared.</summary>
    public void AddOffers()
    {
        while (_offers.TryTake(out Offered offer))
        {
            Map(new GuestAddress(offer.Start), offer.End - offer.Start, offer.File, offer.FileOffset, offer.Access, offer.Precommit);
        }

        foreach (KeptRun run in _prepared)
        {
            if (_kept.HasRoom(run.Pages) && _kept.TryAdd(run))
            {
                Add(SyscallNumber.mmap, run.Start, run.End - run.Start, 0, HostMemory.MapShared | HostMemory.MapFixed, (ulong)run.File.HostFd, (ulong)run.Page * MemoryFile.PageSize);
            }
            else
            {
                _dropped.Add(run);
            }
        }

        _prepared.Clear();
    }

    /// <summary>munmap(2), if anything is there.</summary>
    public void Unmap(GuestAddress address, ulong length)
    {
        ulong end = address.Value + length;
        _concealed = default;
        _offers.Cut(address.Value, end);
        bool isKept = DropKept(address.Value, end);
        _writable.Remove(address.Value, end);
        if (_shown.Remove(address.Value, end) || isKept)
        {
            Add(SyscallNumber.munmap, address.Value, length);
        }
    }

    /// <summary>mprotect(2) of what is there.</summary>
    public void Protect(GuestAddress address, ulong length, MemoryAccess access)
    {
        if (_offers.Overlaps(address.Value, address.Value + length))
        {
            AddOffers();
        }

        for (ulong at = address.Value; _shown.TryFind(at, address.Value + length, out (ulong Start, ulong End) part); at = part.End)
        {
            Add(SyscallNumber.mprotect, part.Start, part.End - part.Start, (ulong)ProtectionOf(access));
        }
    }

    /// <summary>Where pages are that others are given as well: no writing there.</summary>
    public void Share(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access)
    {
        if (leavesBelow == 0)
        {
            Protect(address, length, access);
            return;
        }

        // A thread of the application could take a protection back. What is not writable in the file is mapped as it has to be already, by an earlier fork.
        for (ulong at = address.Value; _writable.TryFind(at, address.Value + length, out (ulong Start, ulong End) part); at = part.End)
        {
            ulong size = part.End - part.Start;
            Map(new GuestAddress(part.Start), size, file, fileOffset + (part.Start - address.Value), access, precommit: size <= MaxPopulated);
        }
    }

    /// <summary>See <see cref="IAddressSpace.Conceal"/>: mprotect(2) of what is there, if that is in one piece and the application's own.</summary>
    public bool TryConceal(GuestAddress address, ulong length)
    {
        ulong end = address.Value + length;
        if (!_shown.TryFind(address.Value, end, out (ulong Start, ulong End) part) || _shown.TryFind(part.End, end, out _) || !_writable.Contains(part.Start, part.End))
        {
            return false;
        }

        StubOrder call = new(SyscallNumber.mprotect, part.Start, part.End - part.Start, 0);
        if (call.A1 > KeptRuns.MaxPages * MemoryFile.PageSize || !CanLeave(call))
        {
            return false;
        }

        _offers.Cut(address.Value, end);
        _shown.Remove(part.Start, part.End);
        _writable.Remove(part.Start, part.End);
        _concealed = part;
        AddOwn(call);
        return true;
    }

    /// <summary>See <see cref="IAddressSpace.Keep"/>.</summary>
    public bool TryKeep(GuestAddress address, MemoryFile file, int page, int pages)
    {
        KeptRun run = new(address.Value, file, page, pages);
        if (run.Start >= _concealed.End || run.End <= _concealed.Start)
        {
            return false; // it is not shown
        }

        if (run.Start < _concealed.Start || run.End > _concealed.End || !file.AreIdle(page, pages) || !_kept.TryAdd(run))
        {
            Add(SyscallNumber.munmap, run.Start, run.End - run.Start); // concealed is not enough for pages that somebody else gets
            return false;
        }

        while (_kept.TryTakeSurplus(out KeptRun old))
        {
            Add(SyscallNumber.munmap, old.Start, old.End - old.Start);
            _dropped.Add(old);
        }

        return true;
    }

    /// <summary>See <see cref="IAddressSpace.Prepare"/>: mmap(2) without access, with the next orders.</summary>
    public bool TryPrepare(GuestAddress address, MemoryFile file, int page, int pages)
    {
        KeptRun run = new(address.Value, file, page, pages, IsZero: true);
        bool isFree = !_shown.TryFind(run.Start, run.End, out _) && !_offers.Overlaps(run.Start, run.End) && !_kept.Overlaps(run.Start, run.End);
        foreach (KeptRun other in _prepared)
        {
            isFree &= other.Start >= run.End || other.End <= run.Start;
        }

        if (!isFree || _prepared.Count == MaxPrepared || !CanLeave(new StubOrder(SyscallNumber.mprotect, run.Start, run.End - run.Start, ReadWrite)))
        {
            return false;
        }

        _prepared.Add(run);
        return true;
    }

    /// <summary>Whether a page is kept at an address.</summary>
    public bool HasKept(GuestAddress address) => _kept.Overlaps(address.Value, address.Value + 1);

    /// <summary>See <see cref="IAddressSpace.ShowKept"/>.</summary>
    public int ShowKept(GuestAddress address, MemoryFile file, int maxPages, out int page)
    {
        bool isThere = _kept.TryTake(address.Value, file, maxPages, out KeptRun run);
        page = run.Page;
        if (isThere)
        {
            if (!run.IsZero)
            {
                file.Bytes(run.Page, 0, run.Pages * MemoryFile.PageSize).Clear(); // before any thread has access again
            }

            _offers.Cut(run.Start, run.End);
            _shown.Add(run.Start, run.End);
            _writable.Add(run.Start, run.End);
            AddOwn(new StubOrder(SyscallNumber.mprotect, run.Start, run.End - run.Start, ReadWrite));
        }

        return run.Pages;
    }

    /// <summary>Takes pages that were kept and are so no more, when the orders up to now have been carried out. Their references are to be retired.</summary>
    public bool TryTakeDropped(out KeptRun run)
    {
        run = _dropped.Count > 0 ? _dropped[^1] : default;
        if (_dropped.Count == 0)
        {
            return false;
        }

        _dropped.RemoveAt(_dropped.Count - 1);
        return true;
    }

    /// <summary>The space is gone: nothing is kept any more.</summary>
    public void DropAllKept() => DropKept(0, ulong.MaxValue);

    /// <summary>If all that is ordered are a few calls that take memory or the right to change it away, or concern nobody but the application, takes them out, for a thread of the application to
    /// make. Until <see cref="AddLeft"/> nobody knows whether it did.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="onlyOwn">Whether they all have to be of the second kind.</param>
    /// <returns>How many there are; 0 if the orders stay.</returns>
    public int TryLeave(Span<StubOrder> calls, bool onlyOwn = false)
    {
        if (Count == 0 || Count > Math.Min(calls.Length, MaxLeft) || leavesBelow == 0 || (onlyOwn && !AreOwn))
        {
            return 0;
        }

        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<ulong> words = _words.AsSpan(i * WordsPerOrder, WordsPerOrder);
            StubOrder call = new((SyscallNumber)words[0], words[1], words[2], words[3]);
            bool isReduction = call.Number == SyscallNumber.munmap || (call.Number == SyscallNumber.mprotect && (call.A2 <= HostMemory.ProtRead || IsOwn(i)));
            if (!isReduction || !CanLeave(call))
            {
                return 0;
            }

            calls[i] = call;
        }

        int count = Count;
        for (int i = 0; i < count; i++)
        {
            _left.Add(calls[i], IsOwn(i));
        }

        Clear();
        return count;
    }

    /// <summary>The thread that calls were left to has come back: those that concern nobody but the application are believed made.</summary>
    public void NoteReturn() => _left.NoteReturn();

    /// <summary>Puts the calls that were left to the application in front of the orders: to make them again changes nothing if it has made them.</summary>
    public void AddLeft()
    {
        int left = _left.Count;
        if (left == 0)
        {
            return;
        }

        _own = 0; // they are carried out with the rest now
        int later = Count;
        EnsureRoom(left);
        _words.AsSpan(0, later * WordsPerOrder).CopyTo(_words.AsSpan(left * WordsPerOrder));
        Count = 0;
        for (int i = 0; i < left; i++)
        {
            Add(_left[i].Number, _left[i].A0, _left[i].A1, _left[i].A2);
        }

        Count += later;
        _left.Clear();
    }

    /// <summary>Any other call.</summary>
    public void Add(SyscallNumber number, ulong a0 = 0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        EnsureRoom(1);
        ReadOnlySpan<ulong> order = [(ulong)number, a0, a1, a2, a3, a4, a5];
        order.CopyTo(_words.AsSpan(Count++ * WordsPerOrder));
    }

    /// <summary>Copies orders from the one numbered <paramref name="first"/> on, as many as fit; returns how many.</summary>
    public int CopyTo(Span<ulong> page, int first)
    {
        int count = Math.Min(page.Length / WordsPerOrder, Count - first);
        _words.AsSpan(first * WordsPerOrder, count * WordsPerOrder).CopyTo(page);
        return count;
    }

    /// <summary>Forgets the orders: they have been carried out.</summary>
    public void Clear()
    {
        Count = 0;
        _own = 0;
    }

    private void AddOwn(in StubOrder call)
    {
        _own |= Count < sizeof(ulong) * 8 ? 1UL << Count : 0;
        _asker = Environment.CurrentManagedThreadId;
        Add(call.Number, call.A0, call.A1, call.A2);
    }

    // The filter of the application's threads lets protections through whose range lies below the platform's own memory, which it tells by the upper half of the address.
    private bool CanLeave(in StubOrder call) =>
        (call.Number != SyscallNumber.mprotect || (call.A0 + call.A1 < leavesBelow && call.A0 >> 32 == (call.A0 + call.A1) >> 32)) && _left.CanLeave(call);

    private bool IsOwn(int order) => (_own >> order & 1) != 0;

    // What is kept in a range is not any more; returns whether anything was.
    private bool DropKept(ulong start, ulong end)
    {
        bool any = false;
        while (_kept.TryTakeFrom(start, end, out KeptRun run))
        {
            _dropped.Add(run);
            any = true;
        }

        DropPrepared(start, end);
        return any;
    }

    private void DropPrepared(ulong start, ulong end)
    {
        for (int i = _prepared.Count - 1; i >= 0; i--)
        {
            if (_prepared[i].Start < end && _prepared[i].End > start)
            {
                _dropped.Add(_prepared[i]);
                _prepared.RemoveAt(i);
            }
        }
    }

    private void EnsureRoom(int more)
    {
        if ((Count + more) * WordsPerOrder > _words.Length)
        {
            Array.Resize(ref _words, Math.Max(_words.Length * 2, (Count + more) * WordsPerOrder));
        }
    }

    // PROT_READ, PROT_WRITE and PROT_EXEC have the same bits. What may be executed can be read, also where the host has protection keys against it.
    private static int ProtectionOf(MemoryAccess access) => (int)access | ((access & MemoryAccess.Execute) != 0 ? HostMemory.ProtRead : 0);
}
