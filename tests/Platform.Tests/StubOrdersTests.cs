using Moat.Linux;

namespace Moat.Platform.Tests;

public sealed class StubOrdersTests
{
    private const ulong Page = MemoryFile.PageSize;
    private readonly StubOrders _orders = new();
    private readonly FakeFile _file = new();

    private sealed class FakeFile : IMappableFile
    {
        public int HostFd => 77;
    }

    [Fact]
    public void Offer_ComesWithTheNextOrders()
    {
        Offer(10, 4);
        Assert.Equal(0, _orders.Count);
        Map(100, 1);
        _orders.AddOffers();
        Assert.Equal([(SyscallNumber.mmap, 100, 1, 0), (SyscallNumber.mmap, 10, 4, 10)], List());
    }

    [Fact]
    public void Offer_IsTakenByAnAccessThatItPermits()
    {
        Offer(10, 4);
        Assert.False(_orders.TakeOffer(At(14), MemoryAccess.Read));
        Assert.False(_orders.TakeOffer(At(13), MemoryAccess.Write));
        Assert.True(_orders.TakeOffer(At(13), MemoryAccess.Read));
        Assert.False(_orders.TakeOffer(At(13), MemoryAccess.Read));
        Assert.Single(List());
    }

    [Fact]
    public void Unmap_LeavesTheRestOfAnOffer()
    {
        Offer(10, 10);
        _orders.Unmap(At(13), 2 * Page);
        Assert.Equal(0, _orders.Count);
        _orders.AddOffers();
        Assert.Equal([(SyscallNumber.mmap, 10, 3, 10), (SyscallNumber.mmap, 15, 5, 15)], List().OrderBy(static order => order.Address).ToList());
    }

    [Fact]
    public void Map_TakesThePlaceOfAnOffer()
    {
        Offer(10, 4);
        Map(9, 6);
        _orders.AddOffers();
        Assert.Equal([(SyscallNumber.mmap, 9, 6, 0)], List());
    }

    [Fact]
    public void Protect_ChangesWhatIsOfferedToo()
    {
        Offer(10, 4);
        _orders.Protect(At(11), Page, MemoryAccess.Read, isForOthers: false);
        Assert.Equal([(SyscallNumber.mmap, 10, 4, 10), (SyscallNumber.mprotect, 11, 1, 0)], List());
    }

    [Fact]
    public void TryLeave_TakesOneReduction_AndProvesItBeforeWhatComesLater()
    {
        Map(10, 8);
        _orders.Clear();
        _orders.Unmap(At(10), 2 * Page);
        Assert.True(_orders.TryLeave(out StubOrder call));
        Assert.Equal(new StubOrder(SyscallNumber.munmap, 10 * Page, 2 * Page, 0), call);
        Assert.Equal(0, _orders.Count);
        Assert.True(_orders.HasUnproven);
        Map(10, 1);
        _orders.AddUnproven();
        Assert.Equal([(SyscallNumber.munmap, 10, 2, 0), (SyscallNumber.mmap, 10, 1, 0)], List());
        Assert.False(_orders.HasUnproven);
    }

    [Fact]
    public void TryLeave_OfWhatGivesOrOfMoreThanOne_Refuses()
    {
        Assert.False(_orders.TryLeave(out _));
        Map(10, 8);
        Assert.False(_orders.TryLeave(out _));
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read | MemoryAccess.Write, isForOthers: false);
        Assert.False(_orders.TryLeave(out _));
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read | MemoryAccess.Execute, isForOthers: false);
        Assert.False(_orders.TryLeave(out _));
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read, isForOthers: false);
        _orders.Unmap(At(12), Page);
        Assert.False(_orders.TryLeave(out _));
    }

    [Fact]
    public void TryLeave_OfAProtectionThatOthersRelyOn_Refuses()
    {
        Map(10, 8);
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read, isForOthers: true);
        Assert.False(_orders.TryLeave(out _));
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read, isForOthers: false);
        Assert.True(_orders.TryLeave(out _));
    }

    [Fact]
    public void TryLeave_OfWhatHasAnUnprovenProtection_Refuses()
    {
        Map(10, 8);
        _orders.Clear();
        _orders.Protect(At(10), 4 * Page, MemoryAccess.Read, isForOthers: false);
        Assert.True(_orders.TryLeave(out _));
        _orders.Unmap(At(13), 2 * Page); // the protection would be made again where there is a hole
        Assert.False(_orders.TryLeave(out _));
        _orders.AddUnproven();
        Assert.Equal([(SyscallNumber.mprotect, 10, 4, 0), (SyscallNumber.munmap, 13, 2, 0)], List());
    }

    [Fact]
    public void TryLeave_IsBounded()
    {
        int left = 0;
        for (int i = 0; i < 100; i++)
        {
            Map((ulong)(10 * i) + 10, 1);
            _orders.Clear();
            _orders.Unmap(At((ulong)(10 * i) + 10), Page);
            left += _orders.TryLeave(out _) ? 1 : 0;
            _orders.Clear();
        }

        Assert.InRange(left, 1, 20);
    }

    [Fact]
    public void Offers_AreBounded()
    {
        for (int i = 0; i < 1000; i++)
        {
            Offer((ulong)(10 * i), 1);
        }

        _orders.AddOffers();
        Assert.InRange(_orders.Count, 1, 100);
    }

    private static GuestAddress At(ulong page) => new(page * Page);

    private void Offer(ulong page, ulong pages) => _orders.Offer(At(page), pages * Page, _file, page * Page, MemoryAccess.Read | MemoryAccess.Execute, precommit: false);

    private void Map(ulong page, ulong pages) => _orders.Map(At(page), pages * Page, _file, 0, MemoryAccess.Read, precommit: false);

    private List<(SyscallNumber Number, ulong Address, ulong Pages, ulong Offset)> List()
    {
        ulong[] words = new ulong[_orders.Count * StubOrders.OrderSize / sizeof(ulong)];
        Assert.Equal(_orders.Count, _orders.CopyTo(words, 0));
        List<(SyscallNumber, ulong, ulong, ulong)> list = [];
        foreach (ulong[] order in words.Chunk(StubOrders.OrderSize / sizeof(ulong)))
        {
            list.Add(((SyscallNumber)order[0], order[1] / Page, order[2] / Page, order[6] / Page));
        }

        return list;
    }
}
