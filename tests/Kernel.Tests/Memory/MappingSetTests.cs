using CsCheck;
using Moat.Kernel.Memory;

namespace Moat.Kernel.Tests.Memory;

public sealed class MappingSetTests
{
    private const ulong Page = 4096;

    [Fact]
    public void FindHoleBelow_InAnEmptySpace_IsRightBelowTheTop() =>
        Assert.Equal((100 * Page) - (3 * Page), new MappingSet().FindHoleBelow(100 * Page, Page, 3 * Page));

    [Fact]
    public void FindHoleBelow_BetweenTwoMappings_FindsTheHoleThatFits()
    {
        MappingSet set = new();
        set.Add(new MemoryMapping { Start = 90 * Page, End = 100 * Page });
        set.Add(new MemoryMapping { Start = 10 * Page, End = 85 * Page });
        Assert.Equal(86 * Page, set.FindHoleBelow(100 * Page, Page, 4 * Page));
        Assert.Equal(4 * Page, set.FindHoleBelow(100 * Page, Page, 6 * Page));
        Assert.Equal(0UL, set.FindHoleBelow(100 * Page, Page, 50 * Page));
    }

    [Fact]
    public void FindHoleBelow_AfterAnyChanges_FindsTheHighestHole() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 60], Gen.Int[1, 9]).Array[0, 60].Sample(steps =>
        {
            const int Bottom = 2;
            MappingSet set = new();
            foreach ((int kind, int place, int pages) in steps)
            {
                ulong start = (ulong)(Bottom + place) * Page;
                ulong length = (ulong)pages * Page;
                if (kind == 0 && set.Count > 0)
                {
                    set.RemoveAt(place % set.Count);
                }
                else if (kind == 1 && set.IsFree(start, start + length))
                {
                    set.Add(new MemoryMapping { Start = start, End = start + length });
                }
                else if (kind > 1)
                {
                    int top = kind == 2 ? 64 : 40;
                    ulong naive = 0;
                    for (int at = top - pages; at >= Bottom && naive == 0; at--)
                    {
                        naive = set.IsFree((ulong)at * Page, (ulong)(at + pages) * Page) ? (ulong)at * Page : 0;
                    }

                    Assert.Equal(naive, set.FindHoleBelow((ulong)top * Page, Bottom * Page, length));
                }
            }
        });

    [Fact]
    public void Split_MovesTheFileOffsetOfTheUpperPart()
    {
        MappingSet set = new();
        set.Add(new MemoryMapping { Start = 10 * Page, End = 20 * Page, FileOffset = 5 * Page });
        MemoryMapping upper = set.Split(13 * Page)!;
        Assert.Equal(8 * Page, upper.FileOffset);
        Assert.Equal(13 * Page, set[0].End);
        Assert.Null(set.Split(13 * Page));
    }

    [Fact]
    public void Find_AgreesWithANaiveSearch() =>
        Gen.Int[0, 63].Array[0, 20].Sample(starts =>
        {
            MappingSet set = new();
            HashSet<ulong> used = [];
            foreach (int start in starts)
            {
                ulong address = (ulong)start * 4 * Page;
                if (used.Add(address))
                {
                    Assert.True(set.IsFree(address, address + (3 * Page)));
                    set.Add(new MemoryMapping { Start = address, End = address + (3 * Page) });
                }
            }

            for (ulong page = 0; page < 256; page++)
            {
                bool mapped = used.Contains(page / 4 * 4 * Page) && page % 4 < 3;
                Assert.Equal(mapped, set.Find(page * Page) is not null);
            }
        });
}
