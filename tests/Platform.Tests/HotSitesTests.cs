using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

public sealed class HotSitesTests
{
    [Fact]
    public void Count_OfSitesInTurn_SaysOnceOfEachThatItIsHot()
    {
        HotSites sites = new();
        Dictionary<ulong, int> hot = [];
        for (int call = 0; call < 100; call++)
        {
            for (ulong site = 0; site < 40; site++)
            {
                ulong address = 0x7ff985c00000 + (site * 0x317);
                if (sites.Count(address))
                {
                    hot[address] = hot.GetValueOrDefault(address) + 1;
                }
            }
        }

        Assert.InRange(hot.Count, 35, 40); // three in one place push one another out
        Assert.All(hot.Values, static times => Assert.InRange(times, 1, 4));
    }

    [Fact]
    public void Count_OfARareSite_DoesNotSayThatItIsHot()
    {
        HotSites sites = new();
        for (int call = 0; call < 23; call++)
        {
            Assert.False(sites.Count(0x401234));
        }

        Assert.True(sites.Count(0x401234));
        Assert.False(sites.Count(0x401234));
    }

    [Fact]
    public void Count_OfASiteThatGoesOnTrapping_SaysSoAgainAfterALongTime()
    {
        HotSites sites = new();
        int hot = 0;
        for (int call = 0; call < 20000; call++)
        {
            hot += sites.Count(0x401234) ? 1 : 0;
        }

        Assert.InRange(hot, 3, 10);
    }
}
