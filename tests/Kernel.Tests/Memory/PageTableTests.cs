using CsCheck;
using Moat.Kernel.Memory;

namespace Moat.Kernel.Tests.Memory;

public sealed class PageTableTests
{
    [Fact]
    public void Table_AgreesWithADictionary() =>
        Gen.Select(Gen.ULong[0, 3000], Gen.Int[0, 1000], Gen.Bool).Array[0, 200].Sample(steps =>
        {
            PageTable table = new();
            Dictionary<ulong, int> model = [];
            foreach ((ulong index, int page, bool remove) in steps)
            {
                if (remove)
                {
                    ulong end = index + (ulong)(page % 700) + 1;
                    List<ulong> removed = [];
                    table.Remove(index, end, (at, _) => removed.Add(at));
                    Assert.Equal(model.Keys.Where(key => key >= index && key < end).Order(), removed);
                    removed.ForEach(key => model.Remove(key));
                }
                else
                {
                    Assert.Equal(model.TryGetValue(index, out int before) ? before : -1, table.Set(index, page));
                    model[index] = page;
                }

                Assert.Equal(model.Count, table.Count);
            }

            Assert.All(model, entry => Assert.Equal(entry.Value, table[entry.Key]));
        });

    [Fact]
    public void Remove_OfALeafsLastPage_DropsTheLeaf()
    {
        PageTable table = new();
        for (ulong leaf = 0; leaf < 1000; leaf++)
        {
            table.Set((leaf << 9) + 5, 1);
            table.Remove((leaf << 9) + 4, (leaf << 9) + 7, static (_, _) => { });
        }

        Assert.Equal(0, table.LeafCount);
    }

    [Fact]
    public void FirstPresentAndAbsent_AreWhatASearchFinds() => Gen.Select(Gen.Int[0, 3000].Array[0, 60], Gen.Int[0, 3000]).Sample((pages, from) =>
    {
        PageTable table = new();
        foreach (int page in pages)
        {
            table.Set((ulong)page, 1);
        }

        int[] behind = [.. pages.Where(page => page >= from).Order()];
        Assert.Equal(behind.Length == 0 ? ulong.MaxValue : (ulong)behind[0], table.FirstPresent((ulong)from));
        int absent = from;
        while (pages.Contains(absent))
        {
            absent++;
        }

        Assert.Equal((ulong)absent, table.FirstAbsent((ulong)from));
    });
}
