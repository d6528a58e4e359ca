using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

public sealed class SpinBudgetTests
{
    private SpinBudget _budget;

    [Fact]
    public void LookingThatPays_GoesOn() => Assert.Equal(1000, Spin(1000, static _ => true));

    [Fact]
    public void LookingThatMostlyPays_GoesOn() => Assert.Equal(1000, Spin(1000, static turn => turn % 8 != 0));

    [Fact]
    public void LookingThatNeverPays_AllButEnds() => Assert.InRange(Spin(10000, static _ => false), 5, 50);

    [Fact]
    public void LookingThatPaysHalfTheTime_AllButEnds() => Assert.InRange(Spin(10000, static turn => turn % 2 != 0), 5, 500);

    [Fact]
    public void LookingThatPaysAgain_ComesBack()
    {
        Spin(1000, static _ => false);
        Spin(600, static _ => true); // as long as it may take to try again
        Assert.Equal(1000, Spin(1000, static _ => true));
    }

    // Makes hand-overs; returns in how many there was looking.
    private int Spin(int turns, Func<int, bool> pays)
    {
        int looked = 0;
        for (int turn = 0; turn < turns; turn++)
        {
            int looks = _budget.Next();
            _budget.Note(looks, hasSlept: !pays(turn));
            looked += looks > 0 ? 1 : 0;
        }

        return looked;
    }
}
