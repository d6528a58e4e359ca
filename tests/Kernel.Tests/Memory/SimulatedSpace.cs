using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tests.Memory;

/// <summary>An address space as a table of pages, which keeps the rules of <see cref="IAddressSpace"/>: what is offered is not there until it is taken or something else changes.</summary>
internal sealed class SimulatedSpace : IAddressSpace
{
    private const ulong PageSize = MemoryFile.PageSize;

    private readonly Dictionary<ulong, (IMappableFile File, ulong Page, MemoryAccess Access)> _offered = [];

    private readonly Dictionary<ulong, (MemoryFile File, int Page)> _kept = [];
    private Dictionary<ulong, (IMappableFile File, ulong Page, MemoryAccess Access)> _concealed = [];

    /// <summary>What is mapped, by page of the space.</summary>
    public Dictionary<ulong, (IMappableFile File, ulong Page, MemoryAccess Access)> Mapped { get; } = [];

    /// <summary>How often something was ordered.</summary>
    public int Changes { get; private set; }

    /// <summary>How often anything lost an access.</summary>
    public int Protections { get; private set; }

    public Errno Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        Drop(address, length);
        Put(Mapped, address, length, file, fileOffset, access);
        Cut(_offered, address, length);
        Settle();
        return Errno.None;
    }

    public void Offer(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
    {
        for (ulong page = address.Value / PageSize; page < (address.Value + length) / PageSize; page++)
        {
            Assert.False(Mapped.ContainsKey(page), "only holes are offered");
        }

        Put(_offered, address, length, file, fileOffset, access);
    }

    public bool TakeOffer(GuestAddress address, MemoryAccess access)
    {
        if (!_offered.TryGetValue(address.Value / PageSize, out var offer) || (access & ~offer.Access) != 0)
        {
            return false;
        }

        Settle();
        return true;
    }

    public void Begin() => Settle();

    public void Unmap(GuestAddress address, ulong length)
    {
        Drop(address, length);
        Cut(_offered, address, length);
        Cut(Mapped, address, length);
        Settle();
    }

    public bool Conceal(GuestAddress address, ulong length)
    {
        _concealed = Mapped.Where(page => page.Key >= address.Value / PageSize && page.Key < (address.Value + length) / PageSize).ToDictionary();
        Assert.All(_concealed.Values, page => Assert.Equal(MemoryAccess.Read | MemoryAccess.Write, page.Access | MemoryAccess.Write)); // to be written, or to be copied
        Unmap(address, length);
        return true;
    }

    public bool Keep(GuestAddress address, MemoryFile file, int page, int pages)
    {
        for (int i = 0; i < pages; i++)
        {
            ulong index = (address.Value / PageSize) + (ulong)i;
            if (!_concealed.TryGetValue(index, out var concealed) || concealed.Page != (ulong)(page + i) || concealed.Access != (MemoryAccess.Read | MemoryAccess.Write) || !file.AreIdle(page, pages))
            {
                return false;
            }
        }

        for (int i = 0; i < pages; i++)
        {
            _kept[(address.Value / PageSize) + (ulong)i] = (file, page + i);
        }

        return true;
    }

    public int ShowKept(GuestAddress address, MemoryFile file, int maxPages, out int page)
    {
        int count = 0;
        ulong first = address.Value / PageSize;
        page = _kept.TryGetValue(first, out var kept) ? kept.Page : 0;
        while (count < maxPages && _kept.TryGetValue(first + (ulong)count, out kept) && kept.Page == page + count)
        {
            _kept.Remove(first + (ulong)count);
            Mapped[first + (ulong)count] = (file, (ulong)(page + count), MemoryAccess.Read | MemoryAccess.Write);
            _offered.Remove(first + (ulong)count);
            file.Bytes(page + count, 0, MemoryFile.PageSize).Clear();
            count++;
        }

        return count;
    }

    public void Share(GuestAddress address, ulong length, MemoryFile file, ulong fileOffset, MemoryAccess access) => Protect(address, length, access);

    public void Protect(GuestAddress address, ulong length, MemoryAccess access)
    {
        Settle();
        Protections++;
        foreach (ulong page in Mapped.Keys.Where(page => page >= address.Value / PageSize && page < (address.Value + length) / PageSize).ToList())
        {
            Mapped[page] = Mapped[page] with { Access = access };
        }
    }

    public void Retire(MemoryFile file, int page, int pages)
    {
        for (int i = page; i < page + pages; i++)
        {
            Assert.DoesNotContain(Mapped.Values, mapped => mapped.File == file && mapped.Page == (ulong)i);
            Assert.DoesNotContain(_offered.Values, offered => offered.File == file && offered.Page == (ulong)i);
        }

        file.Release(page, pages);
    }

    public void Flush() => Settle();

    public Errno Reserve(ref readonly int users) => Errno.None;

    public void Dispose()
    {
        Mapped.Clear();
        _offered.Clear();
        Drop(default, ulong.MaxValue);
    }

    // What is kept in a range is not any more.
    private void Drop(GuestAddress address, ulong length)
    {
        foreach (ulong page in _kept.Keys.Where(page => page >= address.Value / PageSize && page < (address.Value + length) / PageSize).ToList())
        {
            _kept[page].File.Release(_kept[page].Page);
            _kept.Remove(page);
        }
    }

    private static void Put(Dictionary<ulong, (IMappableFile, ulong, MemoryAccess)> table, GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access)
    {
        for (ulong at = 0; at < length; at += PageSize)
        {
            table[(address.Value + at) / PageSize] = (file, (fileOffset + at) / PageSize, access);
        }
    }

    private static void Cut(Dictionary<ulong, (IMappableFile, ulong, MemoryAccess)> table, GuestAddress address, ulong length)
    {
        foreach (ulong page in table.Keys.Where(page => page >= address.Value / PageSize && page < (address.Value + length) / PageSize).ToList())
        {
            table.Remove(page);
        }
    }

    private void Settle()
    {
        Changes++;
        foreach ((ulong page, var offer) in _offered)
        {
            Mapped[page] = offer;
        }

        _offered.Clear();
    }
}
