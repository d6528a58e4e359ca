namespace Moat.Platform.Tests;

public sealed class PairPlacesTests
{
    private readonly PairPlaces _places = new([2, 3, 6, 7, 9]);

    [Fact]
    public void Lanes_AreNeighboursOfTheProcessorsThereAre()
    {
        Assert.True(_places.HasLanes);
        Assert.Equal((2, 3), (_places.StubSide(0), _places.OwnSide(0)));
        Assert.Equal((6, 7), (_places.StubSide(1), _places.OwnSide(1)));
        Assert.False(new PairPlaces([5]).HasLanes);
    }

    [Fact]
    public void WithoutProcessors_NobodyIsBound() => Assert.Equal((false, false), (new PairPlaces([]).AreUsable, new PairPlaces([]).HasLanes));

    [Theory]
    [InlineData(2, true)]
    [InlineData(9, true)]
    [InlineData(4, false)]
    [InlineData(10, false)]
    [InlineData(-1, false)]
    public void Has_KnowsTheProcessors(int processor, bool expected) => Assert.Equal(expected, _places.Has(processor));

    [Fact]
    public void EnterLane_TakesTheNearestOfThoseWithTheFewest()
    {
        Assert.Equal(1, _places.EnterLane(7));
        Assert.Equal(0, _places.EnterLane(7));
        Assert.False(_places.IsLaneShared(1));
        Assert.Equal(1, _places.EnterLane(6));
        Assert.True(_places.IsLaneShared(1));
        _places.LeaveLane(1);
        _places.LeaveLane(1);
        Assert.Equal(1, _places.EnterLane(9)); // which has no neighbour
    }

    [Fact]
    public void FindBetter_WantsFewerBesideIt()
    {
        _places.EnterProcessor(2);
        Assert.Equal(-1, _places.FindBetter(2));
        _places.EnterProcessor(2);
        Assert.True(_places.IsProcessorShared(2));
        Assert.Equal(3, _places.FindBetter(2));
        foreach (int processor in (int[])[3, 6, 7, 9])
        {
            _places.EnterProcessor(processor);
        }

        Assert.Equal(-1, _places.FindBetter(2)); // it would have one beside it there as well
        _places.LeaveProcessor(7);
        Assert.Equal(7, _places.FindBetter(2));
    }
}
