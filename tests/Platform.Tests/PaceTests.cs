using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

public sealed class PaceTests
{
    private Pace _pace;

    [Fact]
    public void Calls_AreSparseAtFirst() => Assert.False(_pace.IsDense);

    [Fact]
    public void ManyCloseCalls_AreDense()
    {
        Note(16, 3000);
        Assert.True(_pace.IsDense);
    }

    [Fact]
    public void CallsThatAreNotCloseEnoughBesideOthers_AreDenseAlone()
    {
        Note(100, 8000, isShared: true);
        Assert.False(_pace.IsDense);
        Note(16, 8000);
        Assert.True(_pace.IsDense);
    }

    [Fact]
    public void AFewLongPauses_DoNotEndIt()
    {
        Note(100, 3000);
        Note(4, 5_000_000);
        Assert.True(_pace.IsDense);
        Note(4, 5_000_000);
        Assert.False(_pace.IsDense);
    }

    private void Note(int calls, long ns, bool isShared = false)
    {
        for (int i = 0; i < calls; i++)
        {
            _pace.Note(ns, isShared);
        }
    }
}
