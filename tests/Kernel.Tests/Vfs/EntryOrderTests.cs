using Moat.Filesystems.Tmpfs;
using Moat.Linux;

namespace Moat.Kernel.Tests.Vfs;

public sealed class EntryOrderTests
{
    [Fact]
    public void TryGet_AfterManyChanges_GoesThroughWhatIsThereInOrder()
    {
        Random random = new(11);
        SortedDictionary<long, string> expected = [];
        EntryOrder order = new();
        long last = 2;
        for (int i = 0; i < 20_000; i++)
        {
            if (expected.Count > 0 && random.Next(1000) < (i < 10_000 ? 300 : 700))
            {
                long gone = expected.Keys.ElementAt(random.Next(Math.Min(expected.Count, 50)));
                expected.Remove(gone);
                order.Remove(gone);
            }
            else
            {
                expected.Add(++last, $"n{last}");
                order.Add(last, new FileName($"n{last}"));
            }

            if (i % 500 == 0)
            {
                long after = random.NextInt64(last + 2);
                Assert.Equal(expected.Where(pair => pair.Key > after).Select(pair => pair.Value), NamesAfter(order, after));
            }
        }
    }

    [Fact]
    public void FirstAfter_OfARemovedName_IsTheNextOne()
    {
        EntryOrder order = new();
        order.Add(3, new FileName("a"));
        order.Add(4, new FileName("b"));
        order.Add(5, new FileName("c"));
        order.Remove(4);
        Assert.Equal(["c"], NamesAfter(order, 4));
        Assert.Equal(["c"], NamesAfter(order, 3));
        order.Remove(5);
        Assert.Empty(NamesAfter(order, 3));
    }

    private static List<string> NamesAfter(EntryOrder order, long serial)
    {
        List<string> names = [];
        for (int at = order.FirstAfter(serial); order.TryGet(ref at, out FileName? name); at++)
        {
            names.Add(name.ToString());
        }

        return names;
    }
}
