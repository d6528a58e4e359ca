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
