using Moat.Linux;

namespace Moat.Platform.Tests;

public sealed class StubOrdersTests
{
    private const ulong Page = MemoryFile.PageSize;
    private const ulong TopPage = 0x7ff00000000 / Page * 16;
    private readonly StubOrders _orders = new(TopPage * Page);
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
        _orders.Protect(At(11), Page, MemoryAccess.Read);
        Assert.Equal([(SyscallNumber.mmap, 10, 4, 10), (SyscallNumber.mprotect, 11, 1, 0)], List());
    }

    [Fact]
    public void TryLeave_TakesReductions_AndProvesThemBeforeWhatComesLater()
    {
        Map(10, 8);
        _orders.Clear();
        _orders.Unmap(At(10), 2 * Page);
        _orders.Protect(At(14), Page, MemoryAccess.Read);
        Assert.Equal([new StubOrder(SyscallNumber.munmap, 10 * Page, 2 * Page, 0), new StubOrder(SyscallNumber.mprotect, 14 * Page, Page, 1)], Leave());
        Assert.Equal(0, _orders.Count);
        Assert.True(_orders.HasLeft);
        _orders.NoteReturn();
        Map(10, 1);
        _orders.AddLeft();
        Assert.Equal([(SyscallNumber.munmap, 10, 2, 0), (SyscallNumber.mprotect, 14, 1, 0), (SyscallNumber.mmap, 10, 1, 0)], List());
        Assert.False(_orders.HasLeft);
    }

    [Fact]
    public void TryLeave_OfWhatGivesOrOfTooMuch_Refuses()
    {
        Assert.Empty(Leave());
        Map(10, 80);
        Assert.Empty(Leave());
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read | MemoryAccess.Write);
        Assert.Empty(Leave());
        _orders.Clear();
        _orders.Protect(At(10), Page, MemoryAccess.Read | MemoryAccess.Execute);
        Assert.Empty(Leave());
        _orders.Clear();
        for (ulong i = 0; i <= StubOrders.MaxLeft; i++)
        {
            _orders.Unmap(At(10 + i), Page);
        }

        Assert.Empty(Leave());
    }

    [Theory]
    [InlineData(TopPage - 2, 1UL, true)]
    [InlineData(TopPage - 2, 2UL, false)] // the filter adds up the lower halves
    [InlineData(TopPage, 1UL, false)]
    [InlineData(TopPage - 0x100001, 2UL, false)] // across 4 GiB
    public void TryLeave_OfAProtectionThatTheFilterStops_Refuses(ulong page, ulong pages, bool isLeft)
    {
        Map(page, pages);
        _orders.Clear();
        _orders.Protect(At(page), pages * Page, MemoryAccess.Read);
        Assert.Equal(isLeft, Leave().Length > 0);
    }

    [Fact]
    public void TryLeave_WithNobodyToLeaveThemTo_Refuses()
    {
        StubOrders orders = new();
        orders.Map(At(10), Page, _file, 0, MemoryAccess.Read, precommit: false);
        orders.Clear();
        orders.Unmap(At(10), Page);
        Assert.Equal(0, orders.TryLeave(new StubOrder[StubOrders.MaxLeft]));
    }

    [Fact]
    public void TryLeave_OfWhatHasAnUnprovenProtection_Refuses()
    {
        Map(10, 8);
        _orders.Clear();
        _orders.Protect(At(10), 4 * Page, MemoryAccess.Read);
        Assert.Single(Leave());
        _orders.Unmap(At(13), 2 * Page); // the protection would be made again where there is a hole
        Assert.Empty(Leave());
        _orders.AddLeft();
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
            left += Leave().Length;
            _orders.Clear();
        }

        Assert.InRange(left, 1, 20);
    }

    [Fact]
    public void WhatMayNotBeWritten_IsMappedPrivately()
    {
        Map(10, 1);
        _orders.Map(At(11), Page, _file, 0, MemoryAccess.Read | MemoryAccess.Write, precommit: false);
        ulong[] words = new ulong[2 * StubOrders.OrderSize / sizeof(ulong)];
        _orders.CopyTo(words, 0);
        const ulong Shared = 1;
        const ulong Private = 2;
        Assert.Equal((Private, Shared), (words[4] & 3, words[(StubOrders.OrderSize / sizeof(ulong)) + 4] & 3));
    }

    [Fact]
    public void Share_MapsWhatIsThereAnew_WithoutWriting()
    {
        MapWritable(10, 2);
        MapWritable(13, 2);
        _orders.Clear();
        _orders.Share(At(9), 5 * Page, _file, 100 * Page, MemoryAccess.Read);
        Assert.Equal([(SyscallNumber.mmap, 10, 2, 101), (SyscallNumber.mmap, 13, 1, 104)], List());
    }

    [Fact]
    public void Share_OfWhatIsSharedAlready_ChangesNothing()
    {
        MapWritable(10, 4);
        _orders.Share(At(10), 4 * Page, _file, 100 * Page, MemoryAccess.Read);
        MapWritable(12, 1);
        _orders.Clear();
        _orders.Share(At(10), 4 * Page, _file, 100 * Page, MemoryAccess.Read);
        Assert.Equal([(SyscallNumber.mmap, 12, 1, 102)], List());
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

    private StubOrder[] Leave()
    {
        StubOrder[] calls = new StubOrder[StubOrders.MaxLeft];
        return calls[.._orders.TryLeave(calls)];
    }

    private void MapWritable(ulong page, ulong pages) => _orders.Map(At(page), pages * Page, _file, page * Page, MemoryAccess.Read | MemoryAccess.Write, precommit: false);

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
