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
    private ulong[] _words = new ulong[16 * WordsPerOrder];

    /// <summary>How many orders wait.</summary>
    public int Count { get; private set; }

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
    public void Protect(GuestAddress address, ulong length, MemoryAccess access)
    {
        if (_offers.Overlaps(address.Value, address.Value + length))
        {
            AddOffers();
        }

        _shown.ForEach(address.Value, address.Value + length, (start, end) => Add(SyscallNumber.mprotect, start, end - start, (ulong)ProtectionOf(access)));
    }

    /// <summary>Any other call.</summary>
    public void Add(SyscallNumber number, ulong a0 = 0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        if ((Count + 1) * WordsPerOrder > _words.Length)
        {
            Array.Resize(ref _words, _words.Length * 2);
        }

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
    public void Clear() => Count = 0;

    private static int ProtectionOf(MemoryAccess access) => (int)access; // PROT_READ, PROT_WRITE and PROT_EXEC have the same bits
}
