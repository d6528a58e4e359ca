using Moat.Linux;

namespace Moat.Platform.Tests;

/// <summary>What a stub keeps of memory that was taken away.</summary>
public sealed class KeptPagesTests : IDisposable
{
    private const ulong Page = MemoryFile.PageSize;
    private const MemoryAccess ReadWrite = MemoryAccess.Read | MemoryAccess.Write;
    private readonly StubOrders _orders = new(1UL << 46);
    private readonly MemoryFile _file = new(64 << 20);

    public void Dispose() => _file.Dispose();

    [Fact]
    public void Kept_IsShownAgainWithoutAMapping()
    {
        int page = Show(10, 4);
        _file.Bytes(page, 0, 4 * MemoryFile.PageSize).Fill(1);
        Assert.True(Conceal(10, 4));
        Assert.True(_orders.TryKeep(At(10), _file, page, 4));
        Assert.Equal([Call(10, 4, 0)], Leave());
        _orders.NoteReturn();
        Assert.False(_orders.HasLeft);
        Assert.Equal(0, _orders.ShowKept(At(9), _file, 4, out _));
        Assert.Equal(2, _orders.ShowKept(At(12), _file, 10, out int shown));
        Assert.Equal(page + 2, shown);
        Assert.Equal(2, _orders.ShowKept(At(10), _file, 10, out shown));
        Assert.Equal(page, shown);
        Assert.False(_file.Bytes(page, 0, 4 * MemoryFile.PageSize).ContainsAnyExcept((byte)0));
        Assert.Equal([Call(12, 2, 3), Call(10, 2, 3)], Leave());
        Assert.Equal(0, _orders.ShowKept(At(10), _file, 10, out _));
        Assert.False(_orders.TryTakeDropped(out _));
    }

    [Fact]
    public void ThatSeveralThreadsShare_OnlyWhatIsTheirOwnIsLeft()
    {
        Keep(10, 4);
        Show(20, 4);
        _orders.ShowKept(At(10), _file, 4, out _);
        Assert.True(_orders.AreOwn);
        Assert.Equal([Call(10, 4, 3)], Leave(onlyOwn: true));
        Assert.True(Conceal(10, 4));
        _orders.Unmap(At(20), 4 * Page);
        Assert.False(_orders.AreOwn);
        Assert.Empty(Leave(onlyOwn: true));
        Assert.Equal(2, Leave().Length);
    }

    [Fact]
    public void Prepared_IsShownAsItIs()
    {
        Assert.True(_file.Allocate(4, out _).TryGet(out int page, out _));
        Assert.True(_orders.TryPrepare(At(10), _file, page, 4));
        Assert.False(_orders.HasKept(At(10)));
        Assert.Equal(0, _orders.Count);
        _orders.AddOffers();
        Assert.Equal(1, _orders.Count);
        Assert.False(_orders.AreOwn);
        _orders.Clear();
        Assert.True(_orders.HasKept(At(13)));
        Assert.Equal(2, _orders.ShowKept(At(10), _file, 2, out int shown));
        Assert.Equal(page, shown);
        Assert.Equal([Call(10, 2, 3)], Leave(onlyOwn: true));
        _orders.Unmap(At(12), 2 * Page);
        Assert.Equal(1, _orders.Count);
        Assert.True(_orders.TryTakeDropped(out KeptRun rest));
        Assert.Equal((page + 2, 2), (rest.Page, rest.Pages));
    }

    [Fact]
    public void Prepare_WhereSomethingIs_Refuses()
    {
        Show(10, 1);
        Keep(20, 1);
        Assert.False(_orders.TryPrepare(At(9), _file, 0, 2));
        Assert.False(_orders.TryPrepare(At(19), _file, 0, 2));
        Assert.True(_orders.TryPrepare(At(30), _file, 0, 2));
        Assert.False(_orders.TryPrepare(At(31), _file, 2, 2));
    }

    [Fact]
    public void Prepared_GivesWayToAnOffer()
    {
        Assert.True(_orders.TryPrepare(At(10), _file, 0, 4));
        _orders.Offer(At(13), 4 * Page, _file, 0, MemoryAccess.Read, precommit: false);
        Assert.True(_orders.TryTakeDropped(out KeptRun dropped));
        Assert.Equal(4, dropped.Pages);
        _orders.AddOffers();
        Assert.Equal(1, _orders.Count);
        Assert.False(_orders.HasKept(At(10)));
    }

    [Fact]
    public void Prepared_IsBounded()
    {
        for (ulong i = 0; i < 100; i++)
        {
            _orders.TryPrepare(At(1000 * (i + 1)), _file, 0, 2);
        }

        _orders.AddOffers();
        Assert.InRange(_orders.Count, 1, 10);
    }

    [Fact]
    public void Prepare_WithNobodyToShowIt_Refuses() => Assert.False(new StubOrders().TryPrepare(At(10), _file, 0, 1));

    [Fact]
    public void OwnOrders_AreTheAskersOnly()
    {
        Keep(10, 4);
        _orders.ShowKept(At(10), _file, 4, out _);
        Assert.False(_orders.AreAnothers);
        bool areAnothers = false;
        Thread other = new(() => areAnothers = _orders.AreAnothers);
        other.Start();
        other.Join();
        Assert.True(areAnothers);
    }

    [Fact]
    public void Conceal_OfWhatIsNotTheApplicationsOwn_Refuses()
    {
        Assert.False(Conceal(10, 4)); // nothing there
        Show(10, 2);
        Show(13, 2);
        Assert.False(Conceal(10, 5)); // not in one piece
        _orders.Map(At(20), Page, _file, Page, MemoryAccess.Read, precommit: false);
        Assert.False(Conceal(20, 1)); // a private copy in the making
        Show(30, 1000);
        Assert.False(Conceal(30, 1000)); // too much
        Assert.False(new StubOrders().TryConceal(At(10), Page));
    }

    [Fact]
    public void Keep_OfPagesThatSomebodyElseHas_UnmapsThem()
    {
        int page = Show(10, 4);
        _file.AddReference(page + 1);
        Assert.True(Conceal(10, 4));
        _orders.Clear();
        Assert.False(_orders.TryKeep(At(10), _file, page, 4));
        Assert.Equal([new StubOrder(SyscallNumber.munmap, 10 * Page, 4 * Page, 0)], Leave());
        _file.Release(page + 1);
        _file.AddPin(page);
        Show(10, 4, page);
        Assert.True(Conceal(10, 4));
        Assert.False(_orders.TryKeep(At(10), _file, page, 4));
        _file.RemovePin(page);
    }

    [Fact]
    public void Map_TakesThePlaceOfWhatIsKept()
    {
        int page = Keep(10, 4);
        _orders.Map(At(11), 2 * Page, _file, 0, MemoryAccess.Read, precommit: false);
        Assert.True(_orders.TryTakeDropped(out KeptRun run));
        Assert.Equal(new KeptRun(11 * Page, _file, page + 1, 2), run);
        Assert.False(_orders.TryTakeDropped(out _));
        Assert.Equal(0, _orders.ShowKept(At(11), _file, 1, out _));
        Assert.Equal(1, _orders.ShowKept(At(10), _file, 4, out _));
        Assert.Equal(1, _orders.ShowKept(At(13), _file, 4, out _));
    }

    [Fact]
    public void Unmap_TakesWhatIsKeptAway()
    {
        Keep(10, 4);
        _orders.Unmap(At(8), 20 * Page);
        Assert.Equal([new StubOrder(SyscallNumber.munmap, 8 * Page, 20 * Page, 0)], Leave());
        Assert.True(_orders.TryTakeDropped(out KeptRun run));
        Assert.Equal(4, run.Pages);
    }

    [Fact]
    public void Protect_LeavesWhatIsKeptAlone()
    {
        Keep(10, 4);
        Show(14, 2);
        _orders.Clear();
        _orders.Protect(At(10), 6 * Page, MemoryAccess.Read);
        Assert.Equal([Call(14, 2, 1)], Leave());
    }

    [Fact]
    public void ThatIsLeft_AndNotKnownToBeMade_IsMadeAgainInOrder()
    {
        int page = Show(10, 4);
        Assert.True(Conceal(10, 4) && _orders.TryKeep(At(10), _file, page, 4));
        _orders.Unmap(At(10), 4 * Page);
        Assert.Equal(2, Leave().Length);
        _orders.AddLeft();
        Assert.Equal(2, _orders.Count);
        ulong[] words = new ulong[2 * StubOrders.OrderSize / sizeof(ulong)];
        _orders.CopyTo(words, 0);
        Assert.Equal(((ulong)SyscallNumber.mprotect, (ulong)SyscallNumber.munmap), (words[0], words[StubOrders.OrderSize / sizeof(ulong)]));
    }

    [Fact]
    public void Kept_IsBounded_AndTheOldestGoFirst()
    {
        int dropped = 0;
        for (ulong i = 0; i < 200; i++)
        {
            Keep(10 + (i * 20), 8);
            while (_orders.TryTakeDropped(out KeptRun run))
            {
                Assert.Equal((10 + ((ulong)dropped * 20)) * Page, run.Start);
                _file.Release(run.Page, run.Pages);
                dropped++;
            }
        }

        Assert.InRange(dropped, 100, 199);
        _orders.DropAllKept();
        int rest = 0;
        while (_orders.TryTakeDropped(out KeptRun run))
        {
            rest++;
        }

        Assert.Equal(200, dropped + rest);
    }

    [Fact]
    public void Kept_IsBoundedInTheFileToo()
    {
        int kept = 0;
        List<StubOrders> spaces = [];
        for (int i = 0; i < 100; i++)
        {
            StubOrders orders = new(1UL << 46);
            spaces.Add(orders);
            Assert.True(_file.Allocate(100, out int pages).TryGet(out int page, out _));
            Assert.Equal(100, pages);
            orders.Map(At(10), 100 * Page, _file, (ulong)page * Page, ReadWrite, precommit: false);
            Assert.True(orders.TryConceal(At(10), 100 * Page));
            kept += orders.TryKeep(At(10), _file, page, 100) ? 1 : 0;
        }

        Assert.InRange(kept, 10, 60);
        spaces.ForEach(static orders => orders.DropAllKept());
        Keep(10, 4);
    }

    private static GuestAddress At(ulong page) => new(page * Page);

    private static StubOrder Call(ulong page, ulong pages, ulong protection) => new(SyscallNumber.mprotect, page * Page, pages * Page, protection);

    private int Show(ulong at, int pages, int page = -1)
    {
        if (page < 0)
        {
            Assert.True(_file.Allocate(pages, out int got).TryGet(out page, out _));
            Assert.Equal(pages, got);
        }

        _orders.Map(At(at), (ulong)pages * Page, _file, (ulong)page * Page, ReadWrite, precommit: false);
        _orders.Clear();
        return page;
    }

    private int Keep(ulong at, int pages)
    {
        int page = Show(at, pages);
        Assert.True(Conceal(at, (ulong)pages));
        Assert.True(_orders.TryKeep(At(at), _file, page, pages));
        _orders.Clear();
        return page;
    }

    private bool Conceal(ulong page, ulong pages) => _orders.TryConceal(At(page), pages * Page);

    private StubOrder[] Leave(bool onlyOwn = false)
    {
        StubOrder[] calls = new StubOrder[StubOrders.MaxLeft];
        return calls[.._orders.TryLeave(calls, onlyOwn)];
    }
}
