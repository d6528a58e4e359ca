using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

public sealed class WaitBudgetTests
{
    private WaitBudget _budget;

    [Fact]
    public void WayThatPays_GoesOn() => Assert.Equal(1000, Wait(1000, static _ => true));

    [Fact]
    public void WayThatMostlyPays_GoesOn() => Assert.Equal(1000, Wait(1000, static turn => turn % 8 != 0));

    [Fact]
    public void WayThatNeverPays_AllButEnds() => Assert.InRange(Wait(100_000, static _ => false), 5, 50);

    [Fact]
    public void WayThatPaysHalfTheTime_AllButEnds() => Assert.InRange(Wait(100_000, static turn => turn % 2 != 0), 5, 500);

    [Fact]
    public void WayThatPaysAgain_ComesBack()
    {
        Wait(10_000, static _ => false);
        Wait(5000, static _ => true); // as long as it may take to try again
        Assert.Equal(1000, Wait(1000, static _ => true));
    }

    // Makes hand-overs; returns in how many the way was taken.
    private int Wait(int turns, Func<int, bool> pays)
    {
        int taken = 0;
        for (int turn = 0; turn < turns; turn++)
        {
            if (_budget.Allows())
            {
                taken++;
                _budget.Note(!pays(turn));
            }
        }

        return taken;
    }
}
