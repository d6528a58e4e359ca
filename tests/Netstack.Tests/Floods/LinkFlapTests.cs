using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;

namespace Moat.Netstack.Tests.Floods;

/// <summary>A link that goes and comes back while something is being sent over it.</summary>
public sealed class LinkFlapTests
{
    private const int Steps = 1500; // of ten milliseconds
    private const int Length = 13; // of being up or down

    [Fact]
    public void Cable_ThatIsPulledAgainAndAgain_LosesNothing()
    {
        using Attack attack = new();
        attack.Run(i => attack.Pair.LeftLink.IsCut = attack.Pair.RightLink.IsCut = IsDown(i), Steps, perStep: 1);
        Assert.Equal(TcpState.Established, attack.Pair.Client.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Interface_ThatGoesDownAndUp_LosesNothing(bool isSender)
    {
        using Attack attack = new();
        NetworkStack stack = isSender ? attack.Pair.Left : attack.Pair.Right;
        attack.Run(i => stack.SetUp(stack.Interfaces[1], !IsDown(i)), Steps, perStep: 1);
        Assert.Equal(TcpState.Established, attack.Pair.Client.State);
    }

    [Fact]
    public void Peer_ThatIsAwayForAMinute_GoesOn()
    {
        using Attack attack = new();
        attack.Run(i => attack.Pair.RightLink.IsCut = i is > 1 and < 6000, strikes: 6001, perStep: 1);
        Assert.Equal(TcpState.Established, attack.Pair.Client.State);
    }

    private static bool IsDown(int step) => step < Steps - 1 && step / Length % 2 == 1;
}
