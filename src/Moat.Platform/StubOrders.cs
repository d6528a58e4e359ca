using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>Changes to a stub's address space as a list of host calls that its code makes in one go, in order. The caller locks.</summary>
public sealed class StubOrders
{
    /// <summary>Bytes of an order: the number of the call and six arguments.</summary>
    public const int OrderSize = 7 * sizeof(ulong);

    private const int WordsPerOrder = OrderSize / sizeof(ulong);

    private readonly ShownRanges _shown = new();
    private readonly OfferedRanges _offers = new();
    private readonly List<StubOrder> _unproven = [];
    private bool _isForOthers; // others rely on an order
    private ulong[] _words = new ulong[16 * WordsPerOrder];

    /// <summary>How many orders wait.</summary>
    public int Count { get; private set; }

    /// <summary>Whether calls have been left to the application since they were last proven.</summary>
    public bool HasUnproven => _unproven.Count > 0;

    /// <summary>mmap(2) of a part of a file.</summary>
    public void Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        _offers.Cut(address.Value, address.Value + length);
        int flags = HostMemory.MapShared | HostMemory.MapFixed | (precommit ? HostMemory.MapPopulate : 0);
        _shown.Add(address.Value, address.Value + length);
        Add(SyscallNumber.mmap, address.Value, length, (ulong)ProtectionOf(access), (ulong)flags, (ulong)file.HostFd, fileOffset);
    }

    /// <summary>mmap(2) of a part of a file into a hole, with the next orders or when it is taken.</summary>
    public void Offer(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit) =>
        _offers.Add(new Offered(address.Value, address.Value + length, file, fileOffset, access, precommit));

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

    /// <summary>Turns the offers into orders.</summary>
    public void AddOffers()
    {
        while (_offers.TryTake(out Offered offer))
        {
            Map(new GuestAddress(offer.Start), offer.End - offer.Start, offer.File, offer.FileOffset, offer.Access, offer.Precommit);
        }
    }

    /// <summary>munmap(2), if anything is there.</summary>
    public void Unmap(GuestAddress address, ulong length)
    {
        _offers.Cut(address.Value, address.Value + length);
        if (_shown.Remove(address.Value, address.Value + length))
        {
            Add(SyscallNumber.munmap, address.Value, length);
        }
    }

    /// <summary>mprotect(2) of what is there.</summary>
    public void Protect(GuestAddress address, ulong length, MemoryAccess access, bool isForOthers)
    {
        _isForOthers |= isForOthers;
        if (_offers.Overlaps(address.Value, address.Value + length))
        {
            AddOffers();
        }

        _shown.ForEach(address.Value, address.Value + length, (start, end) => Add(SyscallNumber.mprotect, start, end - start, (ulong)ProtectionOf(access)));
    }

    /// <summary>If all that is ordered is one call that takes memory or the right to change it away, takes it out, for a thread of the application to make. Until
    /// <see cref="AddUnproven"/> nobody knows whether it did.</summary>
    public bool TryLeave(out StubOrder call)
    {
        const int MaxUnproven = 16;
        call = Count == 1 ? new StubOrder((SyscallNumber)_words[0], _words[1], _words[2], _words[3]) : default;
        bool isReduction = call.Number == SyscallNumber.munmap || (call.Number == SyscallNumber.mprotect && call.A2 <= HostMemory.ProtRead);
        if (!isReduction || _isForOthers || _unproven.Count == MaxUnproven || ChangesUnproven(call.A0, call.A0 + call.A1))
        {
            return false;
        }

        _unproven.Add(call);
        Count = 0;
        return true;
    }

    /// <summary>Puts the calls that were left to the application in front of the orders: to make them again changes nothing if it has made them.</summary>
    public void AddUnproven()
    {
        if (_unproven.Count == 0)
        {
            return;
        }

        int count = Count;
        ulong[] later = _words.AsSpan(0, count * WordsPerOrder).ToArray();
        Count = 0;
        foreach (StubOrder call in _unproven)
        {
            Add(call.Number, call.A0, call.A1, call.A2);
        }

        _unproven.Clear();
        EnsureRoom(count);
        later.CopyTo(_words.AsSpan(Count * WordsPerOrder));
        Count += count;
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
        _isForOthers = false;
    }

    private void EnsureRoom(int more)
    {
        if ((Count + more) * WordsPerOrder > _words.Length)
        {
            Array.Resize(ref _words, Math.Max(_words.Length * 2, (Count + more) * WordsPerOrder));
        }
    }

    // A protection of what may be gone since would fail.
    private bool ChangesUnproven(ulong start, ulong end) =>
        _unproven.Exists(call => call.Number == SyscallNumber.mprotect && call.A0 < end && call.A0 + call.A1 > start);

    private static int ProtectionOf(MemoryAccess access) => (int)access; // PROT_READ, PROT_WRITE and PROT_EXEC have the same bits
}
