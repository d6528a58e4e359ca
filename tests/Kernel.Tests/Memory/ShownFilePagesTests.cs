using CsCheck;
using Moat.Kernel.Memory;

namespace Moat.Kernel.Tests.Memory;

/// <summary>The set of shown file pages against a plain set.</summary>
public sealed class ShownFilePagesTests
{
    private const int Pages = 1000;

    private static readonly Gen<(bool Adds, int First, int Length)[]> s_steps =
        Gen.Select(Gen.Bool, Gen.Int[0, Pages - 1], Gen.Int[1, 300]).Array[1, 40];

    [Fact]
    public void Counts_AreThoseOfASet() => s_steps.Sample(
        steps =>
        {
            ShownFilePages shown = new();
            HashSet<int> model = [];
            foreach ((bool adds, int first, int length) in steps)
            {
                if (adds)
                {
                    shown.Add((ulong)first, (ulong)(first + length));
                    model.UnionWith(Enumerable.Range(first, length));
                }
                else
                {
                    shown.Remove((ulong)first, (ulong)(first + length));
                    model.ExceptWith(Enumerable.Range(first, length));
                }

                Assert.Equal(model.Count, shown.Count);
                Assert.Equal(model.Count(page => page >= first && page < first + length), shown.CountIn((ulong)first, (ulong)(first + length)));
                Assert.Equal(model.Count(static page => page is >= 100 and < 700), shown.CountIn(100, 700));
            }
        },
        iter: 500);

    [Fact]
    public void Remove_OfAHugeRange_VisitsOnlyWhatIsThere()
    {
        ShownFilePages shown = new();
        shown.Add(5, 10);
        shown.Add(1UL << 30, (1UL << 30) + 3);
        shown.Remove(0, 1UL << 35);
        Assert.Equal(0, shown.Count);
    }
}
